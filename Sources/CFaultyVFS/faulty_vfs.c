#include "faulty_vfs.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct faulty_disk {
  sqlite3_vfs vfs;  // first: SQLite gives its address to open_file
  atomic_int armed_kind;
  atomic_long armed_after;
  atomic_long write_count;
  atomic_long sync_delay;
  atomic_int powerless;
  char name[64];
};

typedef struct {
  sqlite3_file base;
  sqlite3_file *real;
  faulty_disk *disk;
} File;

void faulty_disk_arm(faulty_disk *disk, int kind, long after) {
  atomic_store(&disk->powerless, 0);
  atomic_store(&disk->write_count, 0);
  atomic_store(&disk->armed_after, after);
  atomic_store(&disk->armed_kind, kind);
}
void faulty_disk_delay(faulty_disk *disk, long microseconds) { atomic_store(&disk->sync_delay, microseconds); }
long faulty_disk_writes(faulty_disk *disk) { return atomic_load(&disk->write_count); }

static faulty_disk *disk_of(sqlite3_file *file) { return ((File *)file)->disk; }
static sqlite3_file *real_of(sqlite3_file *file) { return ((File *)file)->real; }

static int close_file(sqlite3_file *file) { return real_of(file)->pMethods->xClose(real_of(file)); }
static int read_file(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
  return real_of(file)->pMethods->xRead(real_of(file), bytes, count, offset);
}
static int write_file(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
  sqlite3_file *real = real_of(file);
  faulty_disk *disk = disk_of(file);
  int kind = atomic_load(&disk->armed_kind);
  long number = atomic_fetch_add(&disk->write_count, 1);
  if (atomic_load(&disk->powerless)) return SQLITE_IOERR_WRITE;
  if (kind != FAULTY_NONE && number >= atomic_load(&disk->armed_after)) {
    switch (kind) {
      case FAULTY_FULL:
        return SQLITE_FULL;
      case FAULTY_ERROR:
        return SQLITE_IOERR_WRITE;
      default:
        atomic_store(&disk->powerless, 1);
        if (count > 1) real->pMethods->xWrite(real, bytes, count / 2, offset);
        if (kind == FAULTY_KILL) kill(getpid(), SIGKILL);
        return SQLITE_IOERR_WRITE;
    }
  }
  return real->pMethods->xWrite(real, bytes, count, offset);
}
static int truncate_file(sqlite3_file *file, sqlite3_int64 size) {
  if (atomic_load(&disk_of(file)->powerless)) return SQLITE_IOERR_TRUNCATE;
  return real_of(file)->pMethods->xTruncate(real_of(file), size);
}
static int sync_file(sqlite3_file *file, int flags) {
  faulty_disk *disk = disk_of(file);
  long delay = atomic_load(&disk->sync_delay);
  if (delay > 0) usleep((useconds_t)delay);
  if (atomic_load(&disk->powerless)) return SQLITE_IOERR_FSYNC;
  int kind = atomic_load(&disk->armed_kind);
  if (kind == FAULTY_ERROR && atomic_load(&disk->write_count) >= atomic_load(&disk->armed_after)) return SQLITE_IOERR_FSYNC;
  return real_of(file)->pMethods->xSync(real_of(file), flags);
}
static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
  return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
static int lock_file(sqlite3_file *file, int level) { return real_of(file)->pMethods->xLock(real_of(file), level); }
static int unlock_file(sqlite3_file *file, int level) { return real_of(file)->pMethods->xUnlock(real_of(file), level); }
static int check_lock(sqlite3_file *file, int *result) {
  return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}
static int file_control(sqlite3_file *file, int operation, void *argument) {
  return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}
static int sector_size(sqlite3_file *file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
static int characteristics(sqlite3_file *file) { return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)); }
static int map_shared(sqlite3_file *file, int page, int size, int extend, void volatile **memory) {
  return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}
static int lock_shared(sqlite3_file *file, int offset, int count, int flags) {
  return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}
static void barrier(sqlite3_file *file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
static int unmap_shared(sqlite3_file *file, int remove) {
  return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap_shared,
};

static int open_file(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags) {
  sqlite3_vfs *real_vfs = sqlite3_vfs_find(NULL);
  File *ours = (File *)file;
  ours->base.pMethods = NULL;
  ours->real = (sqlite3_file *)(ours + 1);
  ours->disk = (faulty_disk *)vfs;
  int result = real_vfs->xOpen(real_vfs, name, ours->real, flags, out_flags);
  // SQLite calls xClose only where pMethods is set.
  if (ours->real->pMethods != NULL) ours->base.pMethods = &methods;
  return result;
}

faulty_disk *faulty_disk_make(void) {
  static atomic_long made;
  sqlite3_vfs *real_vfs = sqlite3_vfs_find(NULL);
  faulty_disk *disk = calloc(1, sizeof(faulty_disk));
  if (real_vfs == NULL || disk == NULL) {
    free(disk);
    return NULL;
  }
  snprintf(disk->name, sizeof disk->name, "faulty-%ld", atomic_fetch_add(&made, 1));
  disk->vfs = *real_vfs;
  disk->vfs.zName = disk->name;
  disk->vfs.pNext = NULL;
  disk->vfs.szOsFile = (int)sizeof(File) + real_vfs->szOsFile;
  disk->vfs.xOpen = open_file;
  if (sqlite3_vfs_register(&disk->vfs, 0) != SQLITE_OK) {
    free(disk);
    return NULL;
  }
  return disk;
}
const char *faulty_disk_name(const faulty_disk *disk) { return disk->name; }
