// libevent 2.1 as Debian ships it.
#pragma once
// First: libevent's own configuration defines _GNU_SOURCE, which must come too late to change the C library's types.
#include <sys/types.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <event2/util.h>
