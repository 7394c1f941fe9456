package membertest

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// request is one request to the server of the mount.
type request struct {
	what string
	// land does it at the server. It may be done twice, when a reply is lost and the kernel repeats the request.
	land func() error
	// change says that it changes something there, and so may take effect after its caller was told of an error.
	change bool
	// stray, if set, is done in place of land when a change fails for its caller: what of it lands later, if at all.
	stray func()
	// heard updates what the kernel remembers when a reply comes, or is given up.
	heard func(err error)
	sync  bool // it may fail as syncs do
	// writes is the inode of the file that it writes to, past the kernel.
	writes uint64
}

// flight is a request under way.
type flight struct {
	request
	w          *world
	m          *machine
	c          *call
	boot, site int

	landed bool // before a sync of the file that succeeded; it is not to land again
	err    error
}

// ask sends a request and waits for the reply.
func (p *process) ask(r request) error {
	return p.wait(r.what, func(c *call) {
		f := &flight{request: r, w: p.w, m: p.m, c: c, boot: p.m.boot, site: p.w.site}
		if r.writes != 0 {
			p.m.flying[r.writes] = append(p.m.flying[r.writes], f)
		}
		p.w.after(p.m.delay(), f.arrive)
	})
}

// delay draws what a request or a reply takes.
func (m *machine) delay() time.Duration {
	if m.slow > fastest && m.w.chance(300) {
		return m.w.between(fastest, m.slow)
	}
	return m.w.between(fastest/20, fastest)
}

// arrive is when the request reaches the server, or does not.
func (f *flight) arrive() {
	w, m := f.w, f.m
	switch {
	case f.site != w.site && m.client: // a client, whose kernel asks again
		f.site = w.site
		w.after(leaseT/10, f.arrive)
	case f.site != w.site: // lost with the power
	case f.boot != m.boot: // its machine crashed since
		if f.change && w.chance(500) {
			_ = f.take()
			w.fault("orphan-landed", "%s %s", m.name, f.what)
		}
	case m.cut:
		f.stuck()
	case f.sync && (m.failing > 0 || w.chance(w.powers.failSync)):
		m.failing = max(0, m.failing-1)
		w.fault("sync-failed", "%s %s", m.name, f.what)
		f.fail()
	case w.chance(w.powers.fail):
		w.fault("call-failed", "%s %s", m.name, f.what)
		f.fail()
	default:
		err := f.take()
		if w.chance(w.powers.repeat) {
			w.fault("repeated", "%s %s", m.name, f.what)
			err = f.take()
		}
		w.after(m.delay(), func() { f.reply(err) })
	}
}

// take does the request at the server, unless a sync already forced it.
func (f *flight) take() error {
	if !f.landed {
		f.err = f.land()
	}
	return f.err
}

// reply is when the answer comes back.
func (f *flight) reply(err error) {
	switch {
	case f.site != f.w.site && f.m.client:
		f.arrive()
	case f.site != f.w.site || f.boot != f.m.boot:
	case f.m.cut:
		f.stuck() // the answer is lost; the request is sent again when the server is there again
	default:
		f.tell(err)
	}
}

// stuck is a request while the server cannot be reached.
func (f *flight) stuck() {
	if !f.m.soft {
		f.m.waiting = append(f.m.waiting, f)
		return
	}
	f.w.after(f.w.between(0, leaseT/2), func() {
		if f.site == f.w.site && f.boot == f.m.boot {
			f.fail()
		}
	})
}

// fail tells the caller of an error. What was asked for may have been done, may be done later, or never.
func (f *flight) fail() {
	w := f.w
	switch {
	case !f.change:
	case f.stray != nil:
		f.stray()
	case w.chance(300):
		_ = f.take()
	case w.chance(600):
		w.after(w.between(0, lateBy), func() {
			if f.site == w.site && (f.boot == f.m.boot || w.chance(500)) {
				_ = f.take()
				w.fault("late-change", "%s %s", f.m.name, f.what)
			}
		})
	}
	f.tell(unix.EIO)
}

func (f *flight) tell(err error) {
	if f.heard != nil {
		f.heard(err)
	}
	if err != nil && err != io.EOF && f.w.opt.Trace && !errors.Is(err, fs.ErrNotExist) {
		f.w.tracef("%-6s %s: %v", f.c.p.name, f.what, cause(err))
	}
	if f.writes != 0 && (err == nil || f.stray != nil) { // after an error what is left of it straggles
		f.m.flying[f.writes] = slices.DeleteFunc(f.m.flying[f.writes], func(g *flight) bool { return g == f })
	}
	f.w.wake(f.c, err)
}

// cause returns the error number in an error, without the names, which may be random.
func cause(err error) error {
	var no unix.Errno
	if errors.As(err, &no) {
		return no
	}
	return err
}
