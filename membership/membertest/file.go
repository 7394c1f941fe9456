package membertest

import (
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage"
)

// file is an open file or directory of a process. Writes stay in the kernel until a sync, those of a direct file excepted.
type file struct {
	fs     mountFS
	name   string
	srv    vfs.File // the server's handle: what is written through it lands even if the name is gone
	inode  uint64
	isDir  bool
	direct bool
	pos    int64
	atEnd  bool // the last Read came to the end
}

var _ storage.DataFile = (*file)(nil)

func (f *file) Read(b []byte) (int, error) {
	if f.atEnd {
		return 0, io.EOF
	}
	n, err := f.ReadAt(b, f.pos)
	f.pos += int64(n)
	if err == io.EOF {
		f.atEnd = true
		if n > 0 {
			err = nil
		}
	}
	return n, err
}

func (f *file) ReadAt(b []byte, off int64) (n int, err error) {
	m := f.fs.p.m
	err = f.fs.p.ask(request{what: "read " + short(f.name), land: func() error {
		clear(b)
		n, err = f.srv.ReadAt(b, off)
		if err != nil && err != io.EOF {
			return err
		}
		m.overlay(f.inode, b, off)
		n = max(n, int(min(int64(len(b)), m.end(f.inode)-off)))
		if n < len(b) {
			return io.EOF
		}
		return nil
	}})
	if err != nil && err != io.EOF {
		n = 0
	}
	return n, err
}

func (f *file) Write(b []byte) (int, error) {
	n, err := f.WriteAt(b, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	p := f.fs.p
	if !f.direct {
		p.w.mu.Lock()
		dead := p.dead
		p.w.mu.Unlock()
		if dead {
			return 0, errDead
		}
		p.m.write(f.inode, f.srv, off, b)
		return len(b), nil
	}
	e := extent{off, slices.Clone(b)}
	err := p.ask(request{what: "write " + short(f.name), change: true, writes: f.inode,
		land:  func() error { _, err := f.srv.WriteAt(slices.Clone(e.b), off); return err },
		stray: func() { f.stray([]extent{e}) },
	})
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// stray is what becomes of writes whose caller gets an error: each landed, or will, or never does.
func (f *file) stray(all []extent) {
	m, w := f.fs.p.m, f.fs.p.w
	for _, e := range all {
		switch w.rng.IntN(3) {
		case 0:
			_, _ = f.srv.WriteAt(slices.Clone(e.b), e.off)
		case 1:
			m.straggle(f.inode, f.srv, e)
		}
	}
}

// Sync sends what the kernel keeps and makes the file durable at the server. After one that failed the kernel takes everything for
// written, so that the next one succeeds.
func (f *file) Sync() error {
	p := f.fs.p
	if f.isDir {
		return p.ask(request{what: "syncdir " + short(f.name), change: true, sync: true, land: func() error {
			return storage.SyncDir(f.fs.disk(), f.name)
		}})
	}
	return p.ask(request{what: "sync " + short(f.name), change: true, sync: true, land: func() error {
		p.m.barrier(f.inode)
		for _, e := range p.m.take(f.inode) { // empty if it is sent a second time
			if _, err := f.srv.WriteAt(e.b, e.off); err != nil {
				return err
			}
		}
		return f.srv.Sync()
	}, stray: func() { f.stray(p.m.take(f.inode)) }})
}

func (f *file) SyncData() error { return f.Sync() }

func (f *file) SyncTo(int64) (bool, error) { return false, nil }

func (f *file) Stat() (vfs.FileInfo, error) { return f.fs.Stat(f.name) }

// Close makes no request: what is not synced stays in the kernel.
func (f *file) Close() error { return nil }

func (f *file) Direct() bool { return f.direct }

func (f *file) PunchHole(int64, int64) error {
	return holdfast.E("punch hole", holdfast.Unsupported, unix.EOPNOTSUPP)
}

func (f *file) Allocated() (int64, error)      { return 0, nil }
func (f *file) Preallocate(int64, int64) error { return nil }
func (f *file) Prefetch(int64, int64) error    { return nil }
func (f *file) Fd() uintptr                    { return vfs.InvalidFd }
