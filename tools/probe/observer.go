package probe

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage"
)

// op is one thing that an observer does on its mount.
type op string

const (
	opStat       op = "stat"        // attributes by name
	opRead       op = "read"        // open and read as Holdfast does, without pages that are kept
	opReadKept   op = "read-kept"   // open and read
	opList       op = "list"        // an ordinary listing
	opFreshList  op = "fresh-list"  // a listing after a creation of its own
	opHold       op = "hold"        // open and keep open
	opHeldSize   op = "held-size"   // size of what is held, unforced
	opHeldForced op = "held-forced" // size of what is held, forced
	opHeldRead   op = "held-read"   // content of what is held
	opDrop       op = "drop"        // close what is held
	opCreate     op = "create"      // exclusively
	opFlock      op = "flock"       // try for a lock and give it back
	opOFD        op = "ofd"
)

// request asks an observer to do something with a file of the probe's directory.
type request struct {
	Op      op     `json:"op"`
	Dir     string `json:"dir"` // of the probe, below the mount's
	Name    string `json:"name"`
	Content []byte `json:"content,omitempty"`
}

// response says what the observer saw.
type response struct {
	Found   bool            `json:"found"`
	Size    int64           `json:"size"`
	Content []byte          `json:"content,omitempty"`
	Names   []string        `json:"names,omitempty"`
	Outcome storage.Outcome `json:"outcome"`
	Lock    string          `json:"lock,omitempty"`
	Err     string          `json:"error,omitempty"`
}

// Bounds of what an observer does for its peer.
const (
	maxContent = 8 << 10
	maxNames   = 10_000
)

// workDir and fileName are all the names that an observer touches, so that a peer that went mad can do no harm.
var (
	workDir  = regexp.MustCompile(`^\.holdfast-probe-[0-9a-f]{32}$`)
	fileName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
)

// observer does what a peer asks for, on one mount. It holds at most one file. Not safe for concurrent use.
type observer struct {
	fs   storage.FS
	root string
	held vfs.File
}

func (o *observer) close() {
	if o.held != nil {
		_ = o.held.Close() // only read
		o.held = nil
	}
}

func (o *observer) do(q request) response {
	if !workDir.MatchString(q.Dir) || !fileName.MatchString(q.Name) || len(q.Content) > maxContent {
		return response{Err: "the other side asks for what no probe asks for"}
	}
	dir := o.fs.PathJoin(o.root, q.Dir)
	a, err := o.act(q, dir, o.fs.PathJoin(dir, q.Name))
	// A stale handle is what some mounts give for a file that was just replaced; readers look again.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESTALE) || holdfast.Is(err, holdfast.NotFound) {
		return response{}
	}
	if err != nil {
		return response{Err: err.Error()}
	}
	a.Found = true
	return a
}

func (o *observer) act(q request, dir, path string) (a response, err error) {
	switch q.Op {
	case opStat:
		var info vfs.FileInfo
		if info, err = o.fs.Stat(path); err == nil {
			a.Size = info.Size()
		}
	case opRead:
		a.Content, err = storage.ReadFile(o.fs, path, maxContent)
		a.Size = int64(len(a.Content))
	case opReadKept:
		var f vfs.File
		if f, err = o.fs.Open(path); err == nil {
			a.Content, err = io.ReadAll(io.LimitReader(f, maxContent))
			_ = f.Close() // only read
		}
	case opFreshList:
		// As takeovers do it.
		own := path + "." + storage.NewNonce().String()
		if err = storage.WriteFile(o.fs, own, nil); err != nil {
			return a, err
		}
		a.Names, err = o.list(dir)
		err = errors.Join(err, o.fs.Remove(own))
	case opList:
		a.Names, err = o.list(dir)
	case opCreate:
		a.Outcome, a.Content, err = storage.CreateExclusive(o.fs, dir, q.Name, q.Content)
		if err != nil {
			a.Content, err = []byte(err.Error()), nil // the outcome says it
		}
	case opFlock, opOFD:
		a.Lock, err = tryLock(o.fs, path, q.Op)
	case opHold:
		o.close()
		o.held, err = o.fs.Open(path)
	default:
		return o.actHeld(q)
	}
	return a, err
}

// actHeld does what needs the file that is held.
func (o *observer) actHeld(q request) (a response, err error) {
	if o.held == nil {
		return a, errors.New("no file is held")
	}
	switch q.Op {
	case opHeldSize:
		var info vfs.FileInfo
		if info, err = o.held.Stat(); err == nil {
			a.Size = info.Size()
		}
	case opHeldForced:
		var attr storage.Attr
		attr, err = o.fs.ForcedStat(o.held)
		a.Size = attr.Size
	case opHeldRead:
		buf := make([]byte, maxContent)
		n, readErr := o.held.ReadAt(buf, 0)
		if readErr != io.EOF {
			err = readErr
		}
		a.Content = buf[:n]
	case opDrop:
		o.close()
	default:
		err = errors.New("unknown operation")
	}
	return a, err
}

func (o *observer) list(dir string) ([]string, error) {
	names, err := o.fs.List(dir)
	return names[:min(len(names), maxNames)], err
}

// tryLock opens a file, tries for a lock without waiting, and says what came of it.
func tryLock(fsys storage.FS, path string, kind op) (string, error) {
	f, err := fsys.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return lockFile(f, kind), nil
}

// lockFile tries for a lock on an open file, which keeps it until it is closed.
func lockFile(f vfs.File, kind op) string {
	if f.Fd() == vfs.InvalidFd {
		return NoLock
	}
	var err error
	if kind == opFlock {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	} else {
		err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart})
	}
	switch {
	case err == nil:
		return Shares
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return Excludes
	}
	return NoLock
}

// hostName names this side for the other.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
