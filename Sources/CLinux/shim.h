// The Linux calls that the toolchain's Glibc module leaves out. Never `#define _GNU_SOURCE` here: it clashes with that module.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <malloc.h>
