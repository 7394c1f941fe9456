package membertest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
	"holdfast/storage"
)

// store is a small ordered store that lives in the directory of an epoch and uses the mount as Pebble does: a log that is appended to
// and synced, now and then a table with everything and a new log, and a MANIFEST that says which of them count. It stands
// in for Pebble because Pebble's background work is not deterministic.
//
// A record is a group of changes: length, checksum, epoch of the writer, number, then lines "key value" or "key". Reading ends
// at the first that is torn or out of order, so that what a former epoch left behind a hole does not come back.
type store struct {
	fs     storage.FS
	dir    string
	epoch  holdfast.Epoch
	rows   map[string]string
	log    vfs.File
	off    int64
	number uint64 // of the last record
	gen    uint64 // of the log
	groups int    // in the log
}

const (
	manifestFile = "MANIFEST"
	recordHeader = 4 + 4 + 8 + 8
	// groupsPerLog is how many groups a log gets before everything goes to a table: few, so that takeovers meet it.
	groupsPerLog = 12
	maxStoreFile = 1 << 20
)

func logName(gen uint64) string   { return fmt.Sprintf("%06d.log", gen) }
func tableName(gen uint64) string { return fmt.Sprintf("%06d.sst", gen) }

// row is a change of one key; an empty value removes it.
type row struct{ key, value string }

// createStore makes an empty store.
func createStore(fsys storage.FS, dir string) error {
	s := &store{fs: fsys, dir: dir, rows: map[string]string{}}
	return s.rotate()
}

// openStore reads a store, to be written under an epoch. Epoch 0 only reads.
func openStore(fsys storage.FS, dir string, epoch holdfast.Epoch) (*store, error) {
	s := &store{fs: fsys, dir: dir, epoch: epoch, rows: map[string]string{}}
	b, err := storage.ReadFile(fsys, s.path(manifestFile), maxStoreFile)
	if err != nil {
		return nil, err
	}
	gen, number, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	if s.gen, err = strconv.ParseUint(gen, 10, 64); err != nil {
		return nil, holdfast.E("open store", holdfast.Corrupt, err)
	}
	if s.number, err = strconv.ParseUint(number, 10, 64); err != nil {
		return nil, holdfast.E("open store", holdfast.Corrupt, err)
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	if epoch == 0 {
		return s, nil
	}
	s.log, err = fsys.OpenReadWrite(s.path(logName(s.gen)), vfs.WriteCategoryUnspecified)
	return s, err
}

func (s *store) path(name string) string { return s.fs.PathJoin(s.dir, name) }

// load reads the table and the log.
func (s *store) load() error {
	table, err := storage.ReadFile(s.fs, s.path(tableName(s.gen)), maxStoreFile)
	if err != nil {
		return err
	}
	if n, _, _ := s.replay(table, 0, 0); n != int64(len(table)) {
		return holdfast.E("open store", holdfast.Corrupt, errors.New("the table is torn"))
	}
	log, err := storage.ReadFile(s.fs, s.path(logName(s.gen)), maxStoreFile)
	if err != nil {
		return err
	}
	s.off, s.number, s.groups = s.replay(log, s.number, 0)
	return nil
}

// replay applies the records of b that follow number, and returns where they end.
func (s *store) replay(b []byte, number uint64, epoch uint64) (end int64, last uint64, groups int) {
	for {
		rest := b[end:]
		if len(rest) < recordHeader {
			return end, number, groups
		}
		n := int(binary.LittleEndian.Uint32(rest))
		if n > len(rest)-recordHeader {
			return end, number, groups
		}
		body := rest[8 : recordHeader+n]
		e, k := binary.LittleEndian.Uint64(body), binary.LittleEndian.Uint64(body[8:])
		if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(rest[4:]) || k != number+1 || e < epoch {
			return end, number, groups
		}
		for line := range strings.Lines(string(body[16:])) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			s.set(row{key, value})
		}
		end, number, epoch, groups = end+int64(recordHeader+n), k, e, groups+1
	}
}

func (s *store) set(r row) {
	if r.value == "" {
		delete(s.rows, r.key)
	} else {
		s.rows[r.key] = r.value
	}
}

func encodeRecord(epoch holdfast.Epoch, number uint64, rows []row) []byte {
	b := make([]byte, recordHeader)
	for _, r := range rows {
		b = append(b, r.key+" "+r.value+"\n"...)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-recordHeader))
	binary.LittleEndian.PutUint64(b[8:], uint64(epoch))
	binary.LittleEndian.PutUint64(b[16:], number)
	binary.LittleEndian.PutUint32(b[4:], crc32.ChecksumIEEE(b[8:]))
	return b
}

// append writes a group to the log; sync makes it durable. After an error of either the state is unknown (R6).
func (s *store) append(rows []row) error {
	b := encodeRecord(s.epoch, s.number+1, rows)
	if _, err := s.log.WriteAt(slices.Clone(b), s.off); err != nil {
		return err
	}
	s.number++
	s.off += int64(len(b))
	s.groups++
	return nil
}

func (s *store) sync() error { return s.log.SyncData() }

// rotate writes everything to a table, begins a new log, makes both count, and removes what counted before.
func (s *store) rotate() error {
	var all []row
	for _, key := range slices.Sorted(maps.Keys(s.rows)) {
		all = append(all, row{key, s.rows[key]})
	}
	gen := s.gen + 1
	if err := storage.WriteFile(s.fs, s.path(tableName(gen)), encodeRecord(s.epoch, 1, all)); err != nil {
		return err
	}
	if err := storage.WriteFile(s.fs, s.path(logName(gen)), nil); err != nil {
		return err
	}
	if err := storage.SyncDir(s.fs, s.dir); err != nil {
		return err
	}
	if err := storage.ReplaceFile(s.fs, s.dir, manifestFile, fmt.Appendf(nil, "%d %d\n", gen, s.number)); err != nil {
		return err
	}
	if s.gen > 0 {
		_ = s.fs.Remove(s.path(logName(s.gen)))   // garbage if it stays
		_ = s.fs.Remove(s.path(tableName(s.gen))) // as above
	}
	log, err := s.fs.OpenReadWrite(s.path(logName(gen)), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	s.gen, s.log, s.off, s.groups = gen, log, 0, 0
	return nil
}
