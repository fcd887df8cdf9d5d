// The Linux calls that the toolchain's Glibc module leaves out. Never `#define _GNU_SOURCE` here: it clashes with that module.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <malloc.h>
#if defined(__x86_64__)
#include <sys/platform/x86.h>
/// Whether processor and system can run code built for x86-64-v3.
static inline int sluice_has_avx2(void) {
  return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(FMA) && CPU_FEATURE_ACTIVE(BMI1) && CPU_FEATURE_ACTIVE(BMI2)
    && CPU_FEATURE_ACTIVE(LZCNT) && CPU_FEATURE_ACTIVE(MOVBE) && CPU_FEATURE_ACTIVE(F16C);
}
#else
static inline int sluice_has_avx2(void) { return 0; }
#endif
