// A SQLite VFS over the default one that lets a disk misbehave on demand. For the tests of the real store.
#pragma once

enum {
  FAULTY_NONE = 0,
  FAULTY_FULL = 1,   // writes fail: no space left
  FAULTY_ERROR = 2,  // writes and syncs fail: input/output error
  FAULTY_TORN = 3,   // one write is cut in half, then everything fails, as if the power went
  FAULTY_KILL = 4    // one write is cut in half, and the process is killed with SIGKILL
};

/// Registers the VFS "faulty"; can be called again. Returns SQLite's result code.
int faulty_vfs_register(void);
/// From the `after`-th write on (0: from now on), the disk misbehaves as `kind` says.
void faulty_vfs_arm(int kind, long after);
/// Each sync takes this long, in microseconds.
void faulty_vfs_delay(long microseconds);
/// Writes since the last `faulty_vfs_arm`.
long faulty_vfs_writes(void);
