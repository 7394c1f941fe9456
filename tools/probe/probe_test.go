package probe_test

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"holdfast/storage"
	"holdfast/storage/storagetest"
	"holdfast/tools/probe"
)

const (
	sample = 30 * time.Millisecond
	wait   = 200 * time.Millisecond
)

func options(fsys storage.FS, dir string) probe.Options {
	return probe.Options{FS: fsys, Dir: dir, Sync: sample, Wait: wait}
}

func measure(t *testing.T, o probe.Options) probe.Report {
	t.Helper()
	m, err := probe.Measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return probe.Judge(m)
}

// only wants these checks, and no others, to be unfit.
func only(t *testing.T, r probe.Report, want ...string) {
	t.Helper()
	var got []string
	for _, c := range r.Checks {
		if c.Verdict == probe.Unfit {
			got = append(got, c.Name)
			if c.Consequence == "" {
				t.Errorf("%s: is unfit, and nothing says what would go wrong", c.Name)
			}
		}
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("unfit: got %q, want %q", got, want)
	}
	if (r.Verdict == probe.Unfit) != (len(want) > 0) {
		t.Errorf("verdict: %s", r.Verdict)
	}
}

func TestPlainDirectory(t *testing.T) {
	dir := t.TempDir()
	r := measure(t, options(storage.OS(), dir).WithPeer(storage.OS(), dir))
	only(t, r)
	if r.Lease == 0 {
		t.Error("no lease fits")
	}
	if r.Measurement.Lock.Flock != probe.Excludes || r.Measurement.Pair.OFD != probe.Excludes {
		t.Errorf("locks: %+v, %s", r.Measurement.Lock, r.Measurement.Pair.OFD)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTwoHosts(t *testing.T) {
	dir := t.TempDir()
	joined := make(chan error, 1)
	o, done, err := options(storage.OS(), dir).WithRemote(t.Context(), "127.0.0.1:0", func(token string) {
		go func() {
			seed := strings.Repeat("A", 43)
			address, _, _ := strings.Cut(token, "/")
			stranger := probe.Join(t.Context(), storage.OS(), dir, address+"/"+seed)
			if stranger == nil {
				t.Error("who has another token was let in")
			}
			joined <- probe.Join(t.Context(), storage.OS(), dir, token)
		}()
	})
	if err != nil {
		t.Fatal(err)
	}
	only(t, measure(t, o))
	done()
	if err := <-joined; err != nil {
		t.Error(err)
	}
}

func TestUnfitness(t *testing.T) {
	every := func(op storagetest.Op, err error) storagetest.Rule { return storagetest.FailAt(0, err).On(op).Every() }
	for name, c := range map[string]struct {
		rule storagetest.Rule
		want []string
	}{
		"no links":             {every(storagetest.OpLink, unix.EPERM), []string{"exclusive creation", "hard links"}},
		"few links":            {storagetest.FailAt(40, unix.EMLINK).On(storagetest.OpLink).Path("linked-").Every(), nil},
		"two links":            {storagetest.FailAt(1, unix.EMLINK).On(storagetest.OpLink).Path("linked-").Every(), []string{"hard links"}},
		"no rename":            {every(storagetest.OpRename, unix.EIO), []string{"rename over a file"}},
		"no sync of data":      {every(storagetest.OpSync, unix.EIO).Path("synced"), []string{"fsync of files and directories"}},
		"no forced reads":      {every(storagetest.OpForcedStat, unix.ENOSYS).Path("forced"), []string{"forced attribute read"}},
		"no pools":             {every(storagetest.OpOpenData, unix.EFBIG).Path("pool"), []string{"holes and unbuffered writes"}},
		"no holes":             {every(storagetest.OpPunch, unix.EOPNOTSUPP), nil},
		"an error, but linked": {storagetest.FailAfterAt(0, unix.EEXIST).On(storagetest.OpLink).Path("race").Every(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			disk := storagetest.NewCrash()
			disk.DirectIO = true
			if err := disk.MkdirAll("/d", 0o777); err != nil {
				t.Fatal(err)
			}
			faulty := storagetest.NewFault(disk, c.rule)
			only(t, measure(t, options(faulty, "/d")), c.want...)
			if !faulty.Triggered() {
				t.Error("the fault did not bite")
			}
			if left, _ := disk.List("/d"); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A mount that does not answer bounds the probe all the same, and is named for it.
func TestMountThatHangs(t *testing.T) {
	disk := storagetest.NewCrash()
	hangs := storagetest.NewFault(disk, storagetest.HangAt(0).On(storagetest.OpForcedStat).Every())
	defer hangs.Release()
	r := measure(t, options(hangs, "/d").Within(2*time.Second))
	only(t, r, "answers")
	if r.Measurement.Hung != "forced attribute reads" || r.Lease != 0 {
		t.Errorf("hung in %q, lease %s", r.Measurement.Hung, r.Lease)
	}
}

func TestReadOnlyMountIsAnError(t *testing.T) {
	disk := storagetest.NewFault(storagetest.NewCrash(), storagetest.FailAt(0, unix.EROFS).On(storagetest.OpMkdir))
	if _, err := probe.Measure(t.Context(), options(disk, "/d")); err == nil {
		t.Error("no error")
	}
}

func TestCallerWhoGivesUp(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), sample)
	defer cancel()
	o := options(storage.OS(), dir)
	o.Sync = time.Minute
	if _, err := probe.Measure(ctx, o); err == nil {
		t.Error("no error")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// view is another host's mount of a filesystem, which caches what a test says.
type view struct {
	storage.FS
	sizes   map[vfs.File]storage.Attr // of forced reads, if not nil
	lists   map[string][]string       // if not nil
	absent  map[string]bool           // names once found absent stay so, if not nil
	content map[string][]byte         // what a name had at the first look, if not nil
	winner  bool                      // link(2) succeeds though the name is there
	blind   bool                      // sees nothing at all
}

func (v *view) ForcedStat(f vfs.File) (storage.Attr, error) {
	a, err := v.FS.ForcedStat(f)
	if v.sizes == nil || err != nil {
		return a, err
	}
	if old, ok := v.sizes[f]; ok {
		return old, nil
	}
	v.sizes[f] = a
	return a, nil
}

func (v *view) List(dir string) ([]string, error) {
	names, err := v.FS.List(dir)
	if v.lists == nil || err != nil {
		return names, err
	}
	if old, ok := v.lists[dir]; ok {
		return old, nil
	}
	v.lists[dir] = names
	return names, nil
}

func (v *view) missing(name string) error {
	if v.blind || v.absent[name] {
		return &fs.PathError{Op: "open", Path: name, Err: unix.ENOENT}
	}
	return nil
}

func (v *view) Stat(name string) (vfs.FileInfo, error) {
	if err := v.missing(name); err != nil {
		return nil, err
	}
	info, err := v.FS.Stat(name)
	if err != nil && v.absent != nil {
		v.absent[name] = true
	}
	return info, err
}

func (v *view) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	if err := v.missing(name); err != nil {
		return nil, err
	}
	if v.content == nil || !strings.Contains(name, "grown") {
		return v.FS.Open(name, o...)
	}
	old, ok := v.content[name]
	if !ok {
		b, err := storage.ReadFile(v.FS, name, 100)
		if err != nil {
			return nil, err
		}
		v.content[name], old = b, b
	}
	copied := name + "-as-it-was"
	if err := storage.WriteFile(v.FS, copied, old); err != nil {
		return nil, err
	}
	return v.FS.Open(copied, o...)
}

func (v *view) Link(oldName, name string) error {
	err := v.FS.Link(oldName, name)
	if err != nil && v.winner {
		return nil
	}
	return err
}

func TestUnfitnessForAnotherHost(t *testing.T) {
	for name, c := range map[string]struct {
		view view
		want []string
	}{
		"all is well":       {view{}, nil},
		"stale forced read": {view{sizes: map[vfs.File]storage.Attr{}}, []string{"forced attribute read, other host"}},
		"stale listing":     {view{lists: map[string][]string{}}, []string{"listing after a creation, other host"}},
		// Forced reads are of what was opened, so they are old as well.
		"stale open": {view{content: map[string][]byte{}},
			[]string{"forced attribute read, other host", "file opened afresh, other host"}},
		"two winners": {view{winner: true},
			[]string{"exclusive creation, two hosts", "creation of what is remembered as absent"}},
		"another filesystem": {view{blind: true}, []string{"another host"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			other := c.view
			other.FS = storage.OS()
			only(t, measure(t, options(storage.OS(), dir).WithPeer(&other, dir)), c.want...)
		})
	}
}

// Remembered absence delays, but does not harm: the other side's creation is refused by the server.
func TestRememberedAbsenceIsARemark(t *testing.T) {
	dir := t.TempDir()
	r := measure(t, options(storage.OS(), dir).WithPeer(&view{FS: storage.OS(), absent: map[string]bool{}}, dir))
	p := r.Measurement.Pair
	if p.Absent.Stale != 0 || !p.Negative.Never || p.Link.Never || r.Verdict == probe.Fit {
		t.Errorf("%s, absent %+v, asked for %+v, not asked for %+v", r.Verdict, p.Absent, p.Negative, p.Link)
	}
}

func TestObserverTouchesNothingElse(t *testing.T) {
	dir := t.TempDir()
	work := ".holdfast-probe-" + strings.Repeat("0", 32)
	for _, c := range [][2]string{{"..", "x"}, {"", "x"}, {work + "/..", "x"}, {work, "../x"}, {work, ".."}, {work, ""}, {"services", "x"}} {
		if found, problem := probe.Asks(storage.OS(), dir, "create", c[0], c[1]); found || problem == "" {
			t.Errorf("%q/%q was touched", c[0], c[1])
		}
	}
	if found, problem := probe.Asks(storage.OS(), dir, "stat", work, "x"); found || problem != "" {
		t.Errorf("what is absent: found %v, %s", found, problem)
	}
}

func TestFilesystemIn(t *testing.T) {
	const table = `21 1 8:1 / / rw - ext4 /dev/sda1 rw
30 21 0:50 / /mnt/stor1 rw,relatime shared:1 - fuse.glusterfs host:/vol rw
31 21 0:51 / /mnt/my\040disk rw - nfs4 host:/x rw
32 21 0:52 / /mnt/stor1 rw - fuse.mfs x rw
not a line
`
	for path, want := range map[string]string{
		"/mnt/stor1/a": "fuse.mfs", "/mnt/stor1": "fuse.mfs", "/mnt/stor10": "ext4", "/": "ext4", "/mnt/my disk/x": "nfs4",
	} {
		if got := probe.FilesystemIn(table, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if got := probe.FilesystemIn("", "/x"); got != "unknown" {
		t.Errorf("without a table: %s", got)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("10.0.0.1:7000/" + strings.Repeat("A", 43))
	f.Add("/")
	f.Fuzz(func(t *testing.T, s string) {
		again, err := probe.ParseToken(s)
		if err != nil {
			return
		}
		if twice, err := probe.ParseToken(again); err != nil || twice != again {
			t.Errorf("%q: %q, %v", s, twice, err)
		}
	})
}
