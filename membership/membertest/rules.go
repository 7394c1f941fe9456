package membertest

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast/membership/takeover"
	"holdfast/storage"
)

// Rules is a set of the rules of ARCHITECTURE.md.
type Rules uint8

// The rules.
const (
	R1 Rules = 1 << iota
	R2
	R3
	R4
	R5
	R6
)

// AllRules returns the rules in their order.
func AllRules() []Rules { return []Rules{R1, R2, R3, R4, R5, R6} }

// Has reports whether a rule is in the set.
func (r Rules) Has(rule Rules) bool { return r&rule != 0 }

// String writes "R1+R4".
func (r Rules) String() string {
	var names []string
	for i, rule := range AllRules() {
		if r.Has(rule) {
			names = append(names, "R"+string(rune('1'+i)))
		}
	}
	return strings.Join(names, "+")
}

// looseFence is the fence of an epoch without some of the rules.
type looseFence struct {
	*takeover.Fence
	off Rules
}

func (f looseFence) Held() error {
	if f.off.Has(R2) {
		return nil
	}
	return f.Fence.Held()
}

func (f looseFence) Confirm() error {
	if f.off.Has(R1) {
		return nil
	}
	return f.Fence.Confirm()
}

func (f looseFence) Lose(reason error) {
	if !f.off.Has(R6) {
		f.Fence.Lose(reason)
	}
}

// retryingFS is the mount for who does not keep R6: a sync that fails is tried again, and the second answer is believed.
type retryingFS struct{ storage.FS }

func (f retryingFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return retrying(f.FS.Create(name, c))
}

func (f retryingFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return retrying(f.FS.OpenReadWrite(name, c, o...))
}

func (f retryingFS) OpenData(name string, mode storage.DataMode) (storage.DataFile, error) {
	d, err := f.FS.OpenData(name, mode)
	if err != nil {
		return nil, err
	}
	return retryingData{d}, nil
}

func retrying(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return retryingFile{f}, nil
}

type retryingFile struct{ vfs.File }

func (f retryingFile) Sync() error {
	if f.File.Sync() == nil {
		return nil
	}
	return f.File.Sync()
}

func (f retryingFile) SyncData() error { return f.Sync() }

type retryingData struct{ storage.DataFile }

func (f retryingData) Sync() error     { return retryingFile{f.DataFile}.Sync() }
func (f retryingData) SyncData() error { return f.Sync() }
