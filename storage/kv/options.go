package kv

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"holdfast"
	"holdfast/storage"
)

// maxLogBytes bounds the log that is not flushed to tables yet, and so what a takeover copies and replays. Fewer memtables
// than it allows are kept, because Pebble keeps one old log more than that for use again, and they cost space.
const (
	maxLogBytes  = 8 << 20
	maxMemTables = 3
)

// The defaults of [Options].
const (
	DefaultCacheBytes    = 8 << 20
	DefaultMemTableBytes = 2 << 20
	DefaultMaxOpenFiles  = 200
)

// format is the version of Pebble's files. It is pinned: a newer one is taken only together with a test that reads
// stores of this one.
const format = pebble.FormatValueSeparation

// Options are the choices an engine has. The zero value opens an existing store with the defaults.
type Options struct {
	// Create makes a new store and fails if there is one; without it there must be one. A store that vanished must never be
	// taken for a new one.
	Create bool

	// CacheBytes is the size of the block cache; Cache, if set, is one shared by several stores instead.
	CacheBytes int64
	Cache      *pebble.Cache

	// MemTableBytes is the size of one memtable, at most 4 MiB; the unflushed log is bounded by 8 MiB in all.
	MemTableBytes int

	// Fence is told of a fault. Nil only in tests and tools.
	Fence holdfast.Fence

	Comparer     *pebble.Comparer
	Merger       *pebble.Merger
	MaxOpenFiles int

	// Listener gets Pebble's events; metrics and logs hang on it. Log gets Pebble's error messages; nil drops them.
	Listener *pebble.EventListener
	Log      *slog.Logger

	// Tune, if set, may change any option after the defaults, except FS, Logger and FormatMajorVersion.
	Tune func(*pebble.Options)
}

// pebble turns the choices into Pebble's options.
func (o Options) pebble(fs *storage.ParkingFS) *pebble.Options {
	memTable := orDefault(o.MemTableBytes, DefaultMemTableBytes)
	memTable = min(memTable, maxLogBytes/2)
	po := &pebble.Options{
		Comparer:            o.Comparer,
		Merger:              o.Merger,
		ErrorIfExists:       o.Create,
		ErrorIfNotExists:    !o.Create,
		MaxOpenFiles:        orDefault(o.MaxOpenFiles, DefaultMaxOpenFiles),
		MemTableSize:        uint64(memTable),
		BytesPerSync:        1 << 20,
		LBaseMaxBytes:       64 << 20,
		EventListener:       o.listener(),
		MaxManifestFileSize: 4 << 20, // a takeover copies it

		MemTableStopWritesThreshold: min(maxLogBytes/memTable, maxMemTables),
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	setLevels(po)
	if o.Cache != nil {
		o.Cache.Ref()
		po.Cache = o.Cache
	} else {
		po.Cache = pebble.NewCache(orDefault(o.CacheBytes, DefaultCacheBytes))
	}
	if o.Tune != nil {
		o.Tune(po)
	}
	po.FS = logFS{fs}
	po.Logger = logger{fs: fs, log: o.Log}
	po.FormatMajorVersion = format
	return po
}

// setLevels makes tables few and large, because a filer pays per file, and cheap to read: MinLZ everywhere costs a tenth of
// zstd's time to unpack and gives most of its gain on keys, which are most of what the stores hold. Every level
// has a filter, since the commonest question to the bottom level is for a name that is not there yet.
func setLevels(po *pebble.Options) {
	po.TargetFileSizes[0] = 16 << 20
	for i := 1; i < len(po.TargetFileSizes); i++ {
		po.TargetFileSizes[i] = 64 << 20
	}
	for i := range po.Levels {
		po.Levels[i].BlockSize = 8 << 10
		po.Levels[i].IndexBlockSize = 32 << 10
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	po.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
}

// corruptPause slows Pebble's background down, which reads a corrupt table again at once and for ever. The goroutine that
// sleeps holds no lock of Pebble's.
const corruptPause = 250 * time.Millisecond

// listener copies the caller's listener, with one default changed: a corrupt block is an error of the read that met it, not
// the end of the process.
func (o Options) listener() *pebble.EventListener {
	var l pebble.EventListener
	if o.Listener != nil {
		l = *o.Listener
	}
	report := l.DataCorruption
	if report == nil {
		report = func(info pebble.DataCorruptionInfo) {
			if o.Log != nil {
				o.Log.Error("pebble: corrupt file", "file", info.Path, "detail", info.Details)
			}
		}
	}
	l.DataCorruption = func(info pebble.DataCorruptionInfo) {
		report(info)
		time.Sleep(corruptPause)
	}
	return &l
}

// logger is Pebble's logger. Its Fatalf never returns and never ends the process.
type logger struct {
	fs  *storage.ParkingFS
	log *slog.Logger
}

func (logger) Infof(string, ...any) {} // the events say the same

func (l logger) Errorf(format string, args ...any) {
	if l.log != nil {
		l.log.Error("pebble", "message", fmt.Sprintf(format, args...))
	}
}

func (l logger) Fatalf(format string, args ...any) {
	l.fs.Park(holdfast.E("pebble", holdfast.Unknown, fmt.Errorf(format, args...)))
}

func orDefault[T int | int64](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
