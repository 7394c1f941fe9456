package storagetest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast/storage"
)

// ErrStopped is what every call returns once the world has stopped.
var ErrStopped = errors.New("storagetest: the world has stopped")

// Op names a kind of call.
type Op string

// The calls. Closing a file, Lock, the path functions and hints are not calls.
const (
	OpCreate     Op = "create"
	OpOpen       Op = "open"     // for reading, directories too
	OpOpenRW     Op = "openrw"   // OpenReadWrite
	OpOpenData   Op = "opendata" // OpenData
	OpReuse      Op = "reuse"
	OpLink       Op = "link"
	OpRename     Op = "rename"
	OpRemove     Op = "remove"
	OpRemoveAll  Op = "removeall"
	OpMkdir      Op = "mkdir"
	OpList       Op = "list"
	OpStat       Op = "stat"
	OpForcedStat Op = "forcedstat"
	OpRead       Op = "read"
	OpWrite      Op = "write" // Write and WriteAt
	OpSync       Op = "sync"  // Sync and SyncData
	OpPunch      Op = "punch"
)

// Changes reports whether calls of this kind change the filesystem or make a change durable: the moments a crash matters.
func (o Op) Changes() bool {
	switch o {
	case OpOpen, OpList, OpStat, OpForcedStat, OpRead:
		return false
	}
	return true
}

// Call is one call, in the order they began. Path is the new name where there are two.
type Call struct {
	N    int
	Op   Op
	Path string
}

func (c Call) String() string { return fmt.Sprintf("%d %s %s", c.N, c.Op, c.Path) }

type action uint8

const (
	actPass action = iota
	actStop
	actTear
	actFail
	actFailAfter
	actHang
	actLoseSync
)

// Rule makes one call go wrong: the n-th, counting from 0, of those it applies to (by default, those that change something).
type Rule struct {
	n     int
	act   action
	err   error
	every bool
	only  func(Call) bool
}

// StopAt stops the world at call n, which is not done any more: from then on every call returns [ErrStopped].
func StopAt(n int) Rule { return Rule{n: n, act: actStop} }

// TearAt stops the world in the middle of call n: a write is done by half, any other call not at all.
func TearAt(n int) Rule { return Rule{n: n, act: actTear} }

// FailAt lets call n fail with err, without doing it.
func FailAt(n int, err error) Rule { return Rule{n: n, act: actFail, err: err} }

// FailAfterAt lets call n fail with err after doing it: applied, but not acknowledged.
func FailAfterAt(n int, err error) Rule { return Rule{n: n, act: actFailAfter, err: err} }

// HangAt holds call n back until [FaultFS.Release]; then it is done.
func HangAt(n int) Rule { return Rule{n: n, act: actHang} }

// LoseSyncAt lets the n-th sync return success without doing it.
func LoseSyncAt(n int) Rule { return Rule{n: n, act: actLoseSync}.On(OpSync) }

// On restricts the rule to these kinds of calls, reads too if named.
func (r Rule) On(ops ...Op) Rule {
	return r.Only(func(c Call) bool {
		for _, op := range ops {
			if c.Op == op {
				return true
			}
		}
		return false
	})
}

// Path restricts the rule to calls whose path contains part.
func (r Rule) Path(part string) Rule {
	before := r.applies()
	return r.Only(func(c Call) bool { return before(c) && strings.Contains(c.Path, part) })
}

// Only makes the rule apply to calls for which ok returns true, and no others.
func (r Rule) Only(ok func(Call) bool) Rule { r.only = ok; return r }

// Every makes the rule bite at every call from the n-th on, not only at that one.
func (r Rule) Every() Rule { r.every = true; return r }

func (r Rule) applies() func(Call) bool {
	if r.only != nil {
		return r.only
	}
	return func(c Call) bool { return c.Op.Changes() }
}

// FaultFS passes calls on to another filesystem, counts them, and lets some go wrong. Safe for concurrent use.
type FaultFS struct {
	storage.FS

	mu        sync.Mutex
	rules     []Rule
	seen      []int // matches per rule
	calls     []Call
	triggered bool
	stopped   bool
	released  chan struct{}
	hung      chan struct{} // closed when the first call hangs
}

var _ storage.FS = (*FaultFS)(nil)

// NewFault wraps inner. With several rules each counts for itself.
func NewFault(inner storage.FS, rules ...Rule) *FaultFS {
	f := &FaultFS{FS: inner, released: make(chan struct{}), hung: make(chan struct{})}
	f.Add(rules...)
	return f
}

// Add puts more rules in force; they count from now.
func (f *FaultFS) Add(rules ...Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, rules...)
	f.seen = append(f.seen, make([]int, len(rules))...)
}

// Triggered reports whether any rule has bitten.
func (f *FaultFS) Triggered() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.triggered
}

// Stopped reports whether the world has stopped.
func (f *FaultFS) Stopped() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stopped
}

// Stop stops the world now.
func (f *FaultFS) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
}

// Release lets the calls that hang go on, now and later.
func (f *FaultFS) Release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.released:
	default:
		close(f.released)
	}
}

// Hung is closed when the first call hangs.
func (f *FaultFS) Hung() <-chan struct{} { return f.hung }

// Calls returns the calls so far, reads too.
func (f *FaultFS) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.calls...)
}

// verdict is what is to become of a call.
type verdict struct {
	act action
	err error
}

// begin records a call and says what is to become of it. It returns after Release if the call hangs.
func (f *FaultFS) begin(op Op, path string) verdict {
	v := f.judge(op, path)
	if v.act == actHang {
		<-f.released
		v.act = actPass
	}
	return v
}

func (f *FaultFS) judge(op Op, path string) verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return verdict{actFail, ErrStopped}
	}
	call := Call{N: len(f.calls), Op: op, Path: path}
	f.calls = append(f.calls, call)
	for i, r := range f.rules {
		if !r.applies()(call) {
			continue
		}
		n := f.seen[i]
		f.seen[i]++
		if n == r.n || (r.every && n > r.n) {
			return f.biteLocked(r)
		}
	}
	return verdict{}
}

func (f *FaultFS) biteLocked(r Rule) verdict {
	if r.act == actHang && !f.triggered {
		close(f.hung)
	}
	f.triggered = true
	switch r.act {
	case actStop:
		f.stopped = true
		return verdict{actFail, ErrStopped}
	case actTear:
		f.stopped = true
		return verdict{actTear, ErrStopped}
	}
	return verdict{r.act, r.err}
}

// do runs a call that has no half.
func (f *FaultFS) do(op Op, path string, call func() error) error {
	switch v := f.begin(op, path); v.act {
	case actFail, actTear:
		return v.err
	case actFailAfter:
		if err := call(); err != nil {
			return err
		}
		return v.err
	case actLoseSync:
		return nil
	}
	return call()
}

func (f *FaultFS) open(op Op, path string, call func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	err := f.do(op, path, func() (err error) { file, err = call(); return err })
	if err != nil {
		if file != nil {
			_ = file.Close() // the caller is told that it did not open
		}
		return nil, err
	}
	return &faultFile{File: file, fs: f, path: path}, nil
}

// Create is vfs.FS.Create.
func (f *FaultFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.open(OpCreate, name, func() (vfs.File, error) { return f.FS.Create(name, c) })
}

// Open is vfs.FS.Open.
func (f *FaultFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.open(OpOpen, name, func() (vfs.File, error) { return f.FS.Open(name, opts...) })
}

// OpenDir is vfs.FS.OpenDir.
func (f *FaultFS) OpenDir(name string) (vfs.File, error) {
	return f.open(OpOpen, name, func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

// OpenReadWrite is vfs.FS.OpenReadWrite.
func (f *FaultFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.open(OpOpenRW, name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) })
}

// ReuseForWrite is vfs.FS.ReuseForWrite.
func (f *FaultFS) ReuseForWrite(oldName, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.open(OpReuse, name, func() (vfs.File, error) { return f.FS.ReuseForWrite(oldName, name, c) })
}

// OpenData is storage.FS.OpenData.
func (f *FaultFS) OpenData(name string, mode storage.DataMode) (storage.DataFile, error) {
	var data storage.DataFile
	file, err := f.open(OpOpenData, name, func() (_ vfs.File, err error) {
		data, err = f.FS.OpenData(name, mode)
		return data, err
	})
	if err != nil {
		return nil, err
	}
	return &faultData{file.(*faultFile), data}, nil
}

// ForcedStat is storage.FS.ForcedStat.
func (f *FaultFS) ForcedStat(file vfs.File) (attr storage.Attr, err error) {
	inner, path := file, ""
	switch ff := file.(type) {
	case *faultFile:
		inner, path = ff.File, ff.path
	case *faultData:
		inner, path = ff.data, ff.path
	}
	err = f.do(OpForcedStat, path, func() (err error) { attr, err = f.FS.ForcedStat(inner); return err })
	if err != nil {
		return storage.Attr{}, err
	}
	return attr, nil
}

// Link is vfs.FS.Link.
func (f *FaultFS) Link(oldName, name string) error {
	return f.do(OpLink, name, func() error { return f.FS.Link(oldName, name) })
}

// Rename is vfs.FS.Rename.
func (f *FaultFS) Rename(oldName, name string) error {
	return f.do(OpRename, name, func() error { return f.FS.Rename(oldName, name) })
}

// Remove is vfs.FS.Remove.
func (f *FaultFS) Remove(name string) error {
	return f.do(OpRemove, name, func() error { return f.FS.Remove(name) })
}

// RemoveAll is vfs.FS.RemoveAll.
func (f *FaultFS) RemoveAll(name string) error {
	return f.do(OpRemoveAll, name, func() error { return f.FS.RemoveAll(name) })
}

// MkdirAll is vfs.FS.MkdirAll.
func (f *FaultFS) MkdirAll(dir string, perm os.FileMode) error {
	return f.do(OpMkdir, dir, func() error { return f.FS.MkdirAll(dir, perm) })
}

// List is vfs.FS.List.
func (f *FaultFS) List(dir string) (names []string, err error) {
	err = f.do(OpList, dir, func() (err error) { names, err = f.FS.List(dir); return err })
	return names, err
}

// Stat is vfs.FS.Stat.
func (f *FaultFS) Stat(name string) (info vfs.FileInfo, err error) {
	err = f.do(OpStat, name, func() (err error) { info, err = f.FS.Stat(name); return err })
	return info, err
}

// Lock is vfs.FS.Lock; it is not counted, and a stopped world refuses it.
func (f *FaultFS) Lock(name string) (io.Closer, error) {
	if f.Stopped() {
		return nil, ErrStopped
	}
	return f.FS.Lock(name)
}

// Unwrap returns the wrapped filesystem.
func (f *FaultFS) Unwrap() vfs.FS { return f.FS }
