package fstest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// modeTests hold chmod(2), chown(2), umask(2) and what the set-id bits of directories do, as root sees them.
func modeTests() []test {
	return []test{
		{"every mode of a file", basic, func(e *env) {
			path := e.file("f", "")
			for mode := uint32(0); mode <= 0o7777; mode += 0o111 {
				e.ok(unix.Chmod(path, mode))
				eq(e, "mode", e.perm(path), mode)
			}
		}},
		{"the bits of a directory", basic, func(e *env) {
			for _, mode := range []uint32{0, 0o700, 0o755, 0o1777, 0o2775, 0o3777, 0o4755} {
				path := e.folder(fmt.Sprint("d", mode))
				e.ok(unix.Chmod(path, mode))
				eq(e, "mode", e.perm(path), mode)
			}
		}},
		{"fchmod", basic, func(e *env) {
			fd := e.open(e.file("f", ""), unix.O_RDONLY)
			e.ok(unix.Fchmod(fd, 0o640))
			eq(e, "mode", e.perm(e.at("f")), 0o640)
		}},
		{"chmod follows links", basic, func(e *env) {
			e.file("f", "")
			e.ok(unix.Chmod(e.link("l", "f"), 0o600))
			eq(e, "mode", e.perm(e.at("f")), 0o600)
		}},
		{"chmod does not change an open handle", basic, func(e *env) {
			fd := e.open(e.file("f", ""), unix.O_RDWR)
			e.ok(unix.Chmod(e.at("f"), 0))
			e.write(fd, "data", 0)
			eq(e, "content", e.read(fd, 10, 0), "data")
		}},
		{"chown sets what is asked and keeps the rest", basic, func(e *env) {
			e.root()
			path := e.file("f", "")
			for _, row := range []struct{ uid, gid, wantUid, wantGid int }{
				{1001, 2001, 1001, 2001}, {-1, 2002, 1001, 2002}, {1002, -1, 1002, 2002}, {-1, -1, 1002, 2002},
				{1 << 31, 1<<32 - 2, 1 << 31, 1<<32 - 2},
			} {
				e.ok(unix.Chown(path, row.uid, row.gid))
				st := e.stat(path)
				eq(e, "owner", st.Uid, uint32(row.wantUid))
				eq(e, "group", st.Gid, uint32(row.wantGid))
			}
		}},
		{"chown of a program takes its set-id bits", basic, func(e *env) {
			e.root()
			path := e.file("f", "")
			e.ok(unix.Chmod(path, 0o6755))
			e.ok(unix.Chown(path, 1001, 2001))
			eq(e, "mode", e.perm(path), 0o755)
		}},
		{"fchown", basic, func(e *env) {
			e.root()
			e.ok(unix.Fchown(e.open(e.file("f", ""), unix.O_RDONLY), 1001, 2001))
			eq(e, "owner", e.stat(e.at("f")).Uid, 1001)
		}},
		{"umask cuts what is made, not what is changed", basic, umask},
		{"a set-group-id directory gives its group", SetGroup, func(e *env) {
			e.root()
			e.ok(unix.Chown(e.folder("d"), 0, 2001))
			e.ok(unix.Chmod(e.at("d"), 0o2775))
			e.file("d/f", "")
			e.folder("d/sub")
			e.link("d/l", "f")
			for _, name := range []string{"d/f", "d/sub", "d/l"} {
				eq(e, "group of "+name, e.stat(e.at(name)).Gid, 2001)
			}
			eq(e, "mode of d/sub", e.perm(e.at("d/sub"))&unix.S_ISGID, unix.S_ISGID)
			eq(e, "mode of d/f", e.perm(e.at("d/f"))&unix.S_ISGID, 0)
		}},
		{"a plain directory does not give its group", basic, func(e *env) {
			e.root()
			e.ok(unix.Chown(e.folder("d"), 0, 2001))
			e.file("d/f", "")
			eq(e, "group", e.stat(e.at("d/f")).Gid, 0)
		}},
		fails("chmod of what is missing", basic, unix.ENOENT, func(e *env) error { return unix.Chmod(e.at("f"), 0o644) }),
		fails("chmod below a file", basic, unix.ENOTDIR, func(e *env) error { return unix.Chmod(e.file("f", "")+"/x", 0o644) }),
		fails("chmod of a dangling link", basic, unix.ENOENT, func(e *env) error { return unix.Chmod(e.link("l", "x"), 0o644) }),
		fails("chown of what is missing", basic, unix.ENOENT, func(e *env) error { return unix.Chown(e.at("f"), 0, 0) }),
	}
}

func umask(e *env) {
	a := e.actor()
	e.ok(a.try(call{Do: "umask", Mode: 0o027}))
	_, err := a.do(call{Do: "open", Path: e.at("f"), Flags: unix.O_CREAT | unix.O_RDWR, Mode: 0o666})
	e.ok(err)
	e.ok(a.try(call{Do: "mkdir", Path: e.at("d"), Mode: 0o777}))
	eq(e, "file", e.perm(e.at("f")), 0o640)
	eq(e, "directory", e.perm(e.at("d")), 0o750)
	e.ok(a.try(call{Do: "chmod", Path: e.at("f"), Mode: 0o666}))
	eq(e, "after chmod", e.perm(e.at("f")), 0o666)
}
