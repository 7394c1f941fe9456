package fstest

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// timesTests hold utimensat(2), and which calls move which times.
func timesTests() []test {
	tests := []test{
		{"set to the nanosecond", Nanoseconds, func(e *env) {
			path := e.file("f", "")
			for _, sec := range []int64{0, 1, 1 << 31, 1 << 33} {
				e.ok(unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{{Sec: sec, Nsec: 123456789}, {Sec: sec + 5, Nsec: 999999999}}, 0))
				st := e.stat(path)
				eq(e, "access", st.Atim, unix.Timespec{Sec: sec, Nsec: 123456789})
				eq(e, "modification", st.Mtim, unix.Timespec{Sec: sec + 5, Nsec: 999999999})
			}
		}},
		{"set to the second", basic, func(e *env) {
			path := e.folder("d")
			past(e, path)
			st := e.stat(path)
			eq(e, "access", st.Atim.Sec, 1000)
			eq(e, "modification", st.Mtim.Sec, 2000)
		}},
		{"UTIME_OMIT and UTIME_NOW", basic, func(e *env) {
			path := e.file("f", "")
			past(e, path)
			e.ok(unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_NOW}}, 0))
			st := e.stat(path)
			eq(e, "access", st.Atim.Sec, 1000)
			if st.Mtim.Sec < 1e9 {
				e.Errorf("modification is %d", st.Mtim.Sec)
			}
		}},
		{"a set time stays when a file that was written is closed", basic, func(e *env) {
			path := e.file("f", "")
			fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
			e.ok(err)
			e.write(fd, "data", 0)
			past(e, path)
			e.ok(unix.Close(fd))
			eq(e, "modification", e.stat(path).Mtim.Sec, 2000)
		}},
		{"a read moves the access time", AccessTimes, func(e *env) {
			path := e.file("f", "data")
			past(e, path)
			e.holds(path, "data")
			if at := e.stat(path).Atim.Sec; at < 1e9 {
				e.Errorf("the access time is still %d", at)
			}
		}},
		{"a new file has the time of now", basic, func(e *env) {
			before := time.Now().Add(-time.Minute).Unix() // a server's clock may differ a little
			st := e.stat(e.file("f", "data"))
			for _, sec := range []int64{st.Mtim.Sec, st.Ctim.Sec, st.Atim.Sec} {
				if sec < before || sec > before+120 {
					e.Errorf("a time is %d seconds away", sec-before-60)
				}
			}
		}},
		fails("nanoseconds out of range", basic, unix.EINVAL, func(e *env) error {
			return unix.UtimesNanoAt(unix.AT_FDCWD, e.file("f", ""), []unix.Timespec{{Nsec: 1e9}, {}}, 0)
		}),
		fails("times of what is missing", basic, unix.ENOENT, func(e *env) error {
			return unix.UtimesNanoAt(unix.AT_FDCWD, e.at("f"), nil, 0)
		}),
	}
	for _, row := range moves() {
		tests = append(tests, test{row.name, row.needs, func(e *env) { moved(e, row) }})
	}
	return tests
}

// move is a call and the times it must move: m and c of the file f, the directory d it is in, and the directory e. What is not
// named must stay.
type move struct {
	name  string
	needs Promise
	want  string
	call  func(e *env, f, d string) error
}

func moves() []move {
	return []move{
		{"write moves", basic, "f.m f.c", func(e *env, f, _ string) error {
			_, err := unix.Pwrite(e.open(f, unix.O_WRONLY), []byte("x"), 0)
			return err
		}},
		{"truncate moves", basic, "f.m f.c", func(_ *env, f, _ string) error { return unix.Truncate(f, 1) }},
		{"ftruncate to the same size moves", basic, "f.m f.c", func(e *env, f, _ string) error {
			return unix.Ftruncate(e.open(f, unix.O_WRONLY), 4)
		}},
		{"O_TRUNC moves", basic, "f.m f.c", func(_ *env, f, _ string) error { return opens(f, unix.O_WRONLY|unix.O_TRUNC) }},
		{"opening moves nothing", basic, "", func(_ *env, f, _ string) error { return opens(f, unix.O_RDWR) }},
		{"writing nothing moves nothing", basic, "", func(e *env, f, _ string) error {
			_, err := unix.Pwrite(e.open(f, unix.O_WRONLY), nil, 0)
			return err
		}},
		{"reading moves no such time", basic, "", func(_ *env, f, _ string) error { _, err := os.ReadFile(f); return err }},
		{"chmod moves", basic, "f.c", func(_ *env, f, _ string) error { return unix.Chmod(f, 0o600) }},
		{"chown moves", basic, "f.c", func(_ *env, f, _ string) error { return unix.Chown(f, os.Getuid(), os.Getgid()) }},
		{"setxattr moves", UserXattrs, "f.c", func(_ *env, f, _ string) error { return unix.Setxattr(f, "user.a", []byte("v"), 0) }},
		{"link moves", HardLinks, "f.c d.m d.c", func(_ *env, f, d string) error { return unix.Link(f, d+"/g") }},
		{"unlink moves", basic, "d.m d.c", func(_ *env, f, _ string) error { return unix.Unlink(f) }},
		{"create moves", basic, "d.m d.c", func(_ *env, _, d string) error { return opens(d+"/g", unix.O_WRONLY|unix.O_CREAT) }},
		{"mkdir moves", basic, "d.m d.c", func(_ *env, _, d string) error { return unix.Mkdir(d+"/g", 0o755) }},
		{"symlink moves", basic, "d.m d.c", func(_ *env, _, d string) error { return unix.Symlink("x", d+"/g") }},
		{"rename to another directory moves", basic, "d.m d.c e.m e.c", func(e *env, f, _ string) error { return unix.Rename(f, e.at("e/f")) }},
		{"a failed create moves nothing", basic, "", func(_ *env, f, _ string) error {
			if err := opens(f, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL); err != unix.EEXIST {
				return err
			}
			return nil
		}},
	}
}

// moved sets all times back, waits until the file system's clock has gone on, and looks what a call changed. Whether a rename or an
// unlink moves the change time of the file itself POSIX leaves open, so that is not looked at.
func moved(e *env, row move) {
	d, other := e.folder("d"), e.folder("e")
	f := e.file("d/f", "data")
	open := strings.Contains(row.name, "rename") || strings.Contains(row.name, "unlink")
	for _, path := range []string{f, d, other} {
		past(e, path)
	}
	before := map[string]unix.Stat_t{"f": e.stat(f), "d": e.stat(d), "e": e.stat(other)}
	e.tick(before["e"].Ctim)
	e.ok(row.call(e, f, d))
	var got []string
	for _, name := range []string{"f", "d", "e"} {
		if name == "f" && open {
			continue
		}
		after := e.stat(map[string]string{"f": f, "d": d, "e": other}[name])
		if after.Mtim != before[name].Mtim {
			got = append(got, name+".m")
		}
		if after.Ctim != before[name].Ctim {
			got = append(got, name+".c")
		}
	}
	eq(e, "moved", strings.Join(got, " "), row.want)
}

// past sets the access time to second 1000 and the modification time to second 2000.
func past(e *env, path string) {
	e.Helper()
	e.ok(unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{{Sec: 1000}, {Sec: 2000}}, 0))
}

// tick changes a file until its change time is after t: file systems tell time in steps of some milliseconds.
func (e *env) tick(t unix.Timespec) {
	e.Helper()
	path := e.dir + ".clock"
	e.ok(os.WriteFile(path, nil, 0o600))
	defer func() { e.ok(unix.Unlink(path)) }()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		e.ok(unix.Chmod(path, 0o600))
		if now := e.stat(path).Ctim; now.Nano() > t.Nano() {
			return
		}
	}
	e.Fatal("the clock of the file system stands still")
}
