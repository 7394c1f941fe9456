package membertest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage"
)

// mountFS is the mount as a process sees it.
type mountFS struct{ p *process }

var _ storage.FS = mountFS{}

// disk is the server's filesystem at the time a request lands.
func (f mountFS) disk() storage.FS { return f.p.w.disk }

// lookedUp remembers that a name was not there, for a while.
func (f mountFS) lookedUp(name string) func(error) {
	m, w := f.p.m, f.p.w
	return func(err error) {
		if errors.Is(err, fs.ErrNotExist) && w.chance(w.powers.missing) {
			m.missing[name] = w.now + w.between(0, staleness)
		}
	}
}

// knownMissing reports whether the kernel says that a name does not exist without asking.
func (f mountFS) knownMissing(op, name string) error {
	if until, ok := f.p.m.missing[name]; ok && f.p.w.now < until {
		return &os.PathError{Op: op, Path: name, Err: unix.ENOENT}
	}
	return nil
}

// change asks for a change of names.
func (f mountFS) change(what string, names []string, land func() error) error {
	return f.p.ask(request{what: what, change: true, land: land, heard: func(error) {
		for _, name := range names {
			f.p.m.forget(name)
		}
	}})
}

// open opens a file at the server. The handle is good for reading and writing; the mode is checked here.
func (f mountFS) open(what, name string, change bool, open func(storage.FS) (vfs.File, error)) (*file, error) {
	got := &file{fs: f, name: name}
	heard := f.lookedUp(name)
	if change {
		heard = func(error) { f.p.m.forget(name) }
	}
	err := f.p.ask(request{what: what + " " + short(name), change: change, heard: heard, land: func() error {
		srv, err := open(f.disk())
		if err != nil {
			return err
		}
		attr, err := f.disk().ForcedStat(srv)
		got.srv, got.inode = srv, attr.Inode
		return err
	}})
	if err != nil {
		return nil, err
	}
	return got, nil
}

func (f mountFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return orNil(f.open("create", name, true, func(d storage.FS) (vfs.File, error) { return d.Create(name, c) }))
}

func (f mountFS) Open(name string, _ ...vfs.OpenOption) (vfs.File, error) {
	if err := f.knownMissing("open", name); err != nil {
		return nil, err
	}
	return orNil(f.open("open", name, false, func(d storage.FS) (vfs.File, error) { return d.Open(name) }))
}

func (f mountFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, _ ...vfs.OpenOption) (vfs.File, error) {
	return orNil(f.open("openrw", name, true, func(d storage.FS) (vfs.File, error) { return d.OpenReadWrite(name, c) }))
}

func (f mountFS) OpenData(name string, mode storage.DataMode) (storage.DataFile, error) {
	got, err := f.open("opendata", name, true, func(d storage.FS) (vfs.File, error) { return d.OpenData(name, storage.Buffered) })
	if err != nil {
		return nil, err
	}
	got.direct = mode == storage.Direct
	return got, nil
}

// orNil keeps a nil *file from becoming a vfs.File.
func orNil(f *file, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// OpenDir makes no request; the sync does.
func (f mountFS) OpenDir(name string) (vfs.File, error) {
	return &file{fs: f, name: name, isDir: true}, nil
}

func (f mountFS) Link(old, name string) error {
	return f.change("link "+short(name), []string{name}, func() error { return f.disk().Link(old, name) })
}

func (f mountFS) Rename(old, name string) error {
	return f.change("rename "+short(name), []string{old, name}, func() error { return f.disk().Rename(old, name) })
}

func (f mountFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Rename(old, name); err != nil {
		return nil, err
	}
	return f.OpenReadWrite(name, c)
}

func (f mountFS) Remove(name string) error {
	return f.change("remove "+short(name), []string{name}, func() error { return f.disk().Remove(name) })
}

// RemoveAll goes through the tree, as the operating system's does: the process may die in between.
func (f mountFS) RemoveAll(name string) error {
	err := f.Remove(name)
	switch {
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return nil
	case !errors.Is(err, unix.ENOTEMPTY):
		return err
	}
	names, err := f.list(name)
	if err != nil {
		return err
	}
	for _, child := range names {
		if err := f.RemoveAll(path.Join(name, child)); err != nil {
			return err
		}
	}
	if err := f.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (f mountFS) MkdirAll(name string, perm os.FileMode) error {
	return f.change("mkdir "+short(name), []string{name}, func() error { return f.disk().MkdirAll(name, perm) })
}

func (f mountFS) List(name string) ([]string, error) {
	if known, ok := f.p.m.listed[name]; ok && f.p.w.now < known.until {
		return slices.Clone(known.names), nil
	}
	return f.list(name)
}

// list asks the server. The names come in the order of their creation, so that the random ones of temporary files decide nothing.
func (f mountFS) list(name string) (names []string, err error) {
	m, w := f.p.m, f.p.w
	err = f.p.ask(request{what: "list " + short(name), land: func() error {
		names, err = byAge(f.disk(), name)
		return err
	}, heard: func(err error) {
		if err == nil && w.chance(w.powers.stale) {
			m.listed[name] = listing{slices.Clone(names), w.now + w.between(0, staleness)}
		}
	}})
	return names, err
}

func (f mountFS) Stat(name string) (vfs.FileInfo, error) {
	if err := f.knownMissing("stat", name); err != nil {
		return nil, err
	}
	m, w := f.p.m, f.p.w
	if known, ok := m.stated[name]; ok && w.now < known.until {
		return known.info, nil
	}
	var info vfs.FileInfo
	lookedUp := f.lookedUp(name)
	err := f.p.ask(request{what: "stat " + short(name), land: func() (err error) {
		info, err = f.disk().Stat(name)
		return err
	}, heard: func(err error) {
		lookedUp(err)
		if err == nil && w.chance(w.powers.stale) {
			m.stated[name] = stated{info, w.now + w.between(0, staleness)}
		}
	}})
	return info, err
}

func (f mountFS) ForcedStat(h vfs.File) (attr storage.Attr, err error) {
	g, ok := h.(*file)
	if !ok {
		return attr, holdfast.E("forced stat", holdfast.Invalid, nil)
	}
	err = f.p.ask(request{what: "forcedstat " + short(g.name), land: func() (err error) {
		attr, err = f.disk().ForcedStat(g.srv)
		attr.Size = max(attr.Size, f.p.m.end(g.inode))
		return err
	}})
	return attr, err
}

func (mountFS) Lock(string) (io.Closer, error)             { return noLock{}, nil }
func (mountFS) PathBase(p string) string                   { return path.Base(p) }
func (mountFS) PathJoin(elem ...string) string             { return path.Join(elem...) }
func (mountFS) PathDir(p string) string                    { return path.Dir(p) }
func (mountFS) GetDiskUsage(string) (vfs.DiskUsage, error) { return vfs.DiskUsage{}, nil }
func (mountFS) Unwrap() vfs.FS                             { return nil }

type noLock struct{}

func (noLock) Close() error { return nil }
