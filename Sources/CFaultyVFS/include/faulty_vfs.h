// A SQLite VFS over the default one that lets a disk misbehave on demand. For the tests of the real store.
#pragma once

enum {
  FAULTY_NONE = 0,
  FAULTY_FULL = 1,   // writes fail: no space left
  FAULTY_ERROR = 2,  // writes and syncs fail: input/output error
  FAULTY_TORN = 3,   // one write is cut in half, then everything fails, as if the power went
  FAULTY_KILL = 4    // one write is cut in half, and the process is killed with SIGKILL
};

/// A disk of its own: what it is told to do concerns only the files that were opened on it, so that tests may run beside each other.
typedef struct faulty_disk faulty_disk;

/// Makes a disk and registers its VFS with SQLite, until the process ends. NULL: there is no memory, or SQLite refuses it.
faulty_disk *faulty_disk_make(void);
/// The name of its VFS.
const char *faulty_disk_name(const faulty_disk *disk);
/// From the `after`-th write on (0: from now on), the disk misbehaves as `kind` says.
void faulty_disk_arm(faulty_disk *disk, int kind, long after);
/// Each sync takes this long, in microseconds.
void faulty_disk_delay(faulty_disk *disk, long microseconds);
/// Writes since the last `faulty_disk_arm`.
long faulty_disk_writes(faulty_disk *disk);
