// For valgrind 3.19 only, preloaded: its sigsuspend takes signals out of the caller's mask where it stands, and libdispatch's mask for the
// main thread, which waits in sigsuspend for ever, is a constant: valgrind dies of a write to read-only memory. A copy may be written to.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
  sigset_t copy = *mask;
  return (int)syscall(SYS_rt_sigsuspend, &copy, 8);
}
