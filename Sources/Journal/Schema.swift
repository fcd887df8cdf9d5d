/// The tables of the journal. A migration that has shipped is frozen: changes are new migrations at the end.
enum Schema {
  static let migrations = [first, blocks, readings, marks, keys]

  private static let first = """
    CREATE TABLE batches (
      first INTEGER PRIMARY KEY CHECK (first > 0),
      last INTEGER NOT NULL CHECK (last >= first),
      first_at_ms INTEGER NOT NULL,
      last_at_ms INTEGER NOT NULL,
      kept BLOB NOT NULL,
      kept_digest BLOB NOT NULL CHECK (length(kept_digest) = 32),
      readings_digest BLOB NOT NULL CHECK (length(readings_digest) = 32),
      link BLOB NOT NULL CHECK (length(link) = 32)
    ) STRICT;
    CREATE INDEX batches_by_time ON batches (last_at_ms);

    -- Raw readings by the digest of their bytes: what a transaction needs is one row, however many transactions need it.
    CREATE TABLE blocks (
      digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
      bytes BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE snapshots (
      sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
      at_ms INTEGER NOT NULL,
      monotonic_ms INTEGER NOT NULL,
      version TEXT NOT NULL,
      state BLOB NOT NULL,
      digest BLOB NOT NULL CHECK (length(digest) = 32)
    ) STRICT;

    CREATE TABLE transactions (
      id INTEGER PRIMARY KEY,
      station INTEGER NOT NULL CHECK (station >= 0),
      connector INTEGER NOT NULL CHECK (connector >= 0),
      id_tag TEXT NOT NULL,
      started_at_ms INTEGER NOT NULL,
      meter_start_mwh INTEGER NOT NULL,
      opened_sequence INTEGER NOT NULL CHECK (opened_sequence > 0),
      late INTEGER NOT NULL CHECK (late IN (0, 1)),
      ended_at_ms INTEGER,
      meter_stop_mwh INTEGER,
      reason TEXT,
      closed_sequence INTEGER CHECK (closed_sequence >= opened_sequence),
      CHECK ((closed_sequence IS NULL) = (ended_at_ms IS NULL))
    ) STRICT;

    -- Every command that sets, clears or reads profiles, and what became of it: one row each time that changes.
    CREATE TABLE profile_commands (
      command INTEGER NOT NULL,
      sequence INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      station INTEGER NOT NULL,
      connector INTEGER,
      transaction_id INTEGER,
      what TEXT NOT NULL,
      PRIMARY KEY (command, sequence, what)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE decisions (
      sequence INTEGER NOT NULL,
      connector INTEGER NOT NULL CHECK (connector >= 0),
      at_ms INTEGER NOT NULL,
      transaction_id INTEGER,
      offer_ma INTEGER NOT NULL CHECK (offer_ma >= 0),
      command INTEGER,
      reason TEXT NOT NULL,
      PRIMARY KEY (sequence, connector)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX decisions_by_transaction ON decisions (transaction_id, sequence) WHERE transaction_id IS NOT NULL;
    """

  private static let blocks = """
    -- Inputs of decisions, and whatever else entries name by the digest of its kind and bytes.
    CREATE TABLE kept_blocks (
      id INTEGER PRIMARY KEY,
      kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 255),
      -- An entry that names it; a newer one may by up to JournalFile.useStep.
      used_sequence INTEGER NOT NULL CHECK (used_sequence > 0),
      digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX kept_blocks_by_use ON kept_blocks (used_sequence);

    -- How far thinning has come: nothing after these entries may be missing.
    CREATE TABLE retention (
      what TEXT PRIMARY KEY CHECK (what IN ('inputs since', 'readings', 'early readings', 'blocks')),
      through INTEGER NOT NULL CHECK (through >= 0)
    ) STRICT, WITHOUT ROWID;
    -- What was recorded before inputs were kept has nothing but its raw readings: they stay as long as inputs do.
    INSERT INTO retention SELECT 'inputs since', coalesce(max(last), 0) FROM batches;
    INSERT INTO retention SELECT 'readings', coalesce(max(last), 0) FROM batches;
    INSERT INTO retention VALUES ('early readings', 0), ('blocks', 0);
    CREATE INDEX batches_by_readings ON batches (substr(readings_digest, 1, 4));
    """

  private static let readings = """
    -- Raw readings by their batch, which holds their digest: one after the other, they fill the pages.
    CREATE TABLE raw_readings (
      first INTEGER PRIMARY KEY CHECK (first > 0),
      bytes BLOB NOT NULL
    ) STRICT;
    INSERT INTO raw_readings SELECT b.first, k.bytes FROM batches b JOIN blocks k ON k.digest = b.readings_digest ORDER BY b.first;
    DROP TABLE blocks;
    DROP INDEX batches_by_readings;
    """

  private static let marks = """
    -- Up to where the journal was thinned when the batch was written (`Retention.marks`), where that was new: part of its link.
    ALTER TABLE batches ADD COLUMN marks BLOB;
    CREATE INDEX batches_with_marks ON batches (first) WHERE marks IS NOT NULL;
    -- Decisions and what became of profiles are read from the batches, where they stand anyway.
    DROP TABLE decisions;
    DROP TABLE profile_commands;
    """

  private static let keys = """
    -- The link says what the entries were; their digest can be worked out from them.
    ALTER TABLE batches DROP COLUMN kept_digest;
    -- How many bytes they are unpacked (`Packed`); NULL: they are not packed.
    ALTER TABLE batches ADD COLUMN kept_size INTEGER CHECK (kept_size > 0);
    ALTER TABLE snapshots ADD COLUMN state_size INTEGER CHECK (state_size > 0);
    -- A block is found by the beginning of its digest; the rest can be worked out from its bytes.
    ALTER TABLE kept_blocks RENAME TO blocks_before;
    CREATE TABLE kept_blocks (
      id INTEGER PRIMARY KEY,
      kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 255),
      -- An entry that mentions it; a newer one may by up to JournalFile.useStep.
      used_sequence INTEGER NOT NULL CHECK (used_sequence > 0),
      key BLOB NOT NULL CHECK (length(key) = 8),
      bytes BLOB NOT NULL,
      size INTEGER CHECK (size > 0)
    ) STRICT;
    INSERT INTO kept_blocks SELECT id, kind, used_sequence, substr(digest, 1, 8), bytes, NULL FROM blocks_before ORDER BY id;
    DROP TABLE blocks_before;
    CREATE INDEX kept_blocks_by_use ON kept_blocks (used_sequence);
    CREATE INDEX kept_blocks_by_key ON kept_blocks (key);
    """
}
