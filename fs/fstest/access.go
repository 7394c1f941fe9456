package fstest

import (
	"fmt"
	"os/exec"

	"golang.org/x/sys/unix"
)

// The users of the permission tests. Alice is in the group staff besides her own, Bob in none of hers.
const (
	alice, aliceGroup = 1001, 2001
	bob, bobGroup     = 1002, 2002
	staff             = 3001
)

func (e *env) alice() *actor { return e.user(alice, aliceGroup, staff) }
func (e *env) bob() *actor   { return e.user(bob, bobGroup) }

// accessTests hold path_resolution(7) and the checks of the single calls, for users that are not root.
func accessTests() []test {
	tests := []test{
		modeClass("owner of a file", alice, aliceGroup, 6),
		modeClass("member of a file's group", bob, aliceGroup, 3),
		modeClass("member of a file's group by a further one", bob, staff, 3),
		modeClass("somebody else", bob, bobGroup, 0),
	}
	return append(append(append(tests, searchTests()...), ownerTests()...), stickyTests()...)
}

// modeClass tries all rights that a class of users may have. The other classes have the opposite: only one class may count.
func modeClass(name string, uid, gid, shift int) test {
	return test{name, basic, func(e *env) {
		e.root()
		a := e.alice()
		path := e.file("f", "data")
		e.ok(unix.Chown(path, uid, gid))
		for bits := range uint32(8) {
			others := uint32(0o777) &^ (7 << shift) & (^bits & 7 * 0o111)
			mode := bits<<shift | others
			e.ok(unix.Chmod(path, mode))
			for _, row := range []struct {
				flags int
				bits  uint32
			}{{unix.O_RDONLY, 4}, {unix.O_WRONLY, 2}, {unix.O_RDWR, 6}} {
				if got := a.opens(path, row.flags); (got == nil) != (bits&row.bits == row.bits) || got != nil && got != unix.EACCES {
					e.Errorf("mode %04o, open flags %d: got %v", mode, row.flags, got)
				}
				if got := a.try(call{Do: "access", Path: path, Mode: row.bits}); (got == nil) != (bits&row.bits == row.bits) {
					e.Errorf("mode %04o, access %d: got %v", mode, row.bits, got)
				}
			}
			if got := a.try(call{Do: "access", Path: path, Mode: unix.X_OK}); (got == nil) != (bits&1 == 1) {
				e.Errorf("mode %04o, access for execution: got %v", mode, got)
			}
		}
	}}
}

// searchTests hold what the rights of a directory allow in it.
func searchTests() []test {
	var tests []test
	for _, row := range []struct {
		mode                                      uint32
		list, stat, make, remove, rename, moveOut unix.Errno
	}{
		{0o700, 0, 0, 0, 0, 0, 0},
		{0o600, 0, unix.EACCES, unix.EACCES, unix.EACCES, unix.EACCES, unix.EACCES},
		{0o500, 0, 0, unix.EACCES, unix.EACCES, unix.EACCES, unix.EACCES},
		{0o400, 0, unix.EACCES, unix.EACCES, unix.EACCES, unix.EACCES, unix.EACCES},
		{0o300, unix.EACCES, 0, 0, 0, 0, 0},
		{0o100, unix.EACCES, 0, unix.EACCES, unix.EACCES, unix.EACCES, unix.EACCES},
		{0o000, unix.EACCES, unix.EACCES, unix.EACCES, unix.EACCES, unix.EACCES, unix.EACCES},
	} {
		tests = append(tests, test{fmt.Sprintf("a directory of mode %04o", row.mode), basic, func(e *env) {
			e.root()
			a := e.alice()
			dir := e.folder("d")
			for _, name := range []string{"stay", "remove", "rename", "out"} {
				e.file("d/"+name, "")
			}
			e.ok(unix.Chown(dir, alice, aliceGroup))
			e.ok(unix.Chmod(dir, row.mode))
			for what, one := range map[string]struct {
				err  error
				want unix.Errno
			}{
				"list":     {a.opens(dir, unix.O_RDONLY|unix.O_DIRECTORY), row.list},
				"stat":     {a.try(call{Do: "stat", Path: dir + "/stay"}), row.stat},
				"create":   {a.opens(dir+"/new", unix.O_WRONLY|unix.O_CREAT), row.make},
				"mkdir":    {a.try(call{Do: "mkdir", Path: dir + "/sub", Mode: 0o755}), row.make},
				"unlink":   {a.try(call{Do: "unlink", Path: dir + "/remove"}), row.remove},
				"rename":   {a.try(call{Do: "rename", Path: dir + "/rename", To: dir + "/renamed"}), row.rename},
				"move out": {a.try(call{Do: "rename", Path: dir + "/out", To: e.at("out")}), row.moveOut},
			} {
				if got := errnoOf(one.err); got != one.want {
					e.Errorf("%s: got %s, want %s", what, errnoName(got), errnoName(one.want))
				}
			}
		}})
	}
	return tests
}

// asUser is a test of one call by a user, on a file of Alice's with mode 0644 in her directory d of mode 0777.
func asUser(name string, bobs bool, want unix.Errno, c call) test {
	return test{name, basic, func(e *env) {
		e.root()
		e.folder("d")
		e.file("d/f", "data")
		e.ok(unix.Chown(e.at("d/f"), alice, aliceGroup))
		e.ok(unix.Chown(e.at("d"), alice, aliceGroup))
		e.ok(unix.Chmod(e.at("d"), 0o777))
		a := e.alice
		if bobs {
			a = e.bob
		}
		c.Path = e.at("d/f")
		e.is(a().try(c), want)
	}}
}

// ownerTests hold what only an owner may do, and what not even he.
func ownerTests() []test {
	return []test{
		asUser("chmod by the owner", false, 0, call{Do: "chmod", Mode: 0o600}),
		asUser("chmod by somebody else", true, unix.EPERM, call{Do: "chmod", Mode: 0o666}),
		asUser("chown of the group by the owner to one of his", false, 0, call{Do: "chown", Uid: -1, Gid: staff}),
		asUser("chown of the group by the owner to another", false, unix.EPERM, call{Do: "chown", Uid: -1, Gid: bobGroup}),
		asUser("chown by the owner to somebody else", false, unix.EPERM, call{Do: "chown", Uid: bob, Gid: -1}),
		asUser("chown by somebody else to himself", true, unix.EPERM, call{Do: "chown", Uid: bob, Gid: -1}),
		asUser("a chosen time by the owner", false, 0, call{Do: "settime"}),
		asUser("a chosen time by somebody else", true, unix.EPERM, call{Do: "settime"}),
		asUser("the present time by the owner", false, 0, call{Do: "touch"}),
		asUser("the present time without the right to write", true, unix.EACCES, call{Do: "touch"}),
		asUser("truncate by the owner", false, 0, call{Do: "truncate"}),
		asUser("truncate without the right to write", true, unix.EACCES, call{Do: "truncate"}),
		asUser("O_TRUNC without the right to write", true, unix.EACCES, call{Do: "open", Flags: unix.O_WRONLY | unix.O_TRUNC}),
		asUser("unlink in a directory open to all", true, 0, call{Do: "unlink"}),
		{"new files belong to their maker", basic, func(e *env) {
			e.alice().open(e.at("f"), unix.O_WRONLY|unix.O_CREAT)
			st := e.stat(e.at("f"))
			eq(e, "owner", st.Uid, alice)
			eq(e, "group", st.Gid, aliceGroup)
		}},
		{"a user's mode without rights still lets him create for writing", basic, func(e *env) {
			r, err := e.alice().do(call{Do: "open", Path: e.at("f"), Flags: unix.O_RDWR | unix.O_CREAT | unix.O_EXCL, Mode: 0})
			e.ok(err)
			if r.N < 0 {
				e.Error("no handle")
			}
		}},
		{"set-group-id is taken when the owner is not of the group", basic, func(e *env) {
			a := e.alice()
			e.ok(unix.Chown(e.file("f", ""), alice, bobGroup))
			e.ok(a.try(call{Do: "chmod", Path: e.at("f"), Mode: 0o2755}))
			eq(e, "mode", e.perm(e.at("f")), 0o755)
		}},
		{"a write by another user takes the set-id bits", SetIDClearing, func(e *env) {
			a := e.bob()
			path := e.file("f", "data")
			e.ok(unix.Chown(path, alice, aliceGroup))
			e.ok(unix.Chmod(path, 0o6777))
			fd := a.open(path, unix.O_WRONLY)
			e.ok(a.try(call{Do: "write", Fd: fd, Data: []byte("x")}))
			eq(e, "mode", e.perm(path), 0o777)
		}},
		{"a script is run, if it may be", basic, func(e *env) {
			path := e.file("f", "#!/bin/sh\necho ran\n")
			e.is(exec.Command(path).Run(), unix.EACCES)
			e.ok(unix.Chmod(path, 0o755))
			out, err := exec.Command(path).Output()
			e.ok(err)
			eq(e, "output", string(out), "ran\n")
		}},
		{"a handle outlives the right", basic, func(e *env) {
			a := e.alice()
			path := e.file("f", "data")
			e.ok(unix.Chmod(path, 0o666))
			fd := a.open(path, unix.O_RDWR)
			e.ok(unix.Chmod(path, 0))
			e.is(a.opens(path, unix.O_RDONLY), unix.EACCES)
			e.ok(a.try(call{Do: "write", Fd: fd, Data: []byte("DATA")}))
			e.holds(path, "DATA")
		}},
	}
}

// stickyTests hold the sticky bit of directories: names may be taken away by the owner of the file, of the directory, and root.
func stickyTests() []test {
	row := func(name string, dirOwner int, bobs bool, want unix.Errno, c call) test {
		return test{"sticky: " + name, basic, func(e *env) {
			e.root()
			e.ok(unix.Chown(e.folder("d"), dirOwner, 0))
			e.ok(unix.Chmod(e.at("d"), 0o1777))
			e.ok(unix.Chown(e.file("d/f", ""), alice, aliceGroup))
			c.Path, c.To = e.at("d/f"), e.at("d/g")
			a := e.alice
			if bobs {
				a = e.bob
			}
			e.is(a().try(c), want)
		}}
	}
	return []test{
		row("unlink by the owner of the file", 0, false, 0, call{Do: "unlink"}),
		row("unlink by the owner of the directory", bob, true, 0, call{Do: "unlink"}),
		row("unlink by somebody else", 0, true, unix.EPERM, call{Do: "unlink"}),
		row("rename by the owner of the file", 0, false, 0, call{Do: "rename"}),
		row("rename by somebody else", 0, true, unix.EPERM, call{Do: "rename"}),
		{"sticky: replacing somebody else's file", basic, func(e *env) {
			e.root()
			a := e.bob()
			e.ok(unix.Chmod(e.folder("d"), 0o1777))
			e.ok(unix.Chown(e.file("d/f", ""), alice, aliceGroup))
			e.ok(unix.Chown(e.file("d/mine", ""), bob, bobGroup))
			e.is(a.try(call{Do: "rename", Path: e.at("d/mine"), To: e.at("d/f")}), unix.EPERM)
		}},
	}
}
