package fstest

import "golang.org/x/sys/unix"

// renameTests hold rename(2) and renameat2(2).
func renameTests() []test {
	tests := []test{
		{"a file", basic, func(e *env) {
			before := e.stat(e.file("a", "data"))
			e.ok(unix.Rename(e.at("a"), e.at("b")))
			e.gone(e.at("a"))
			e.holds(e.at("b"), "data")
			eq(e, "inode", e.stat(e.at("b")).Ino, before.Ino)
		}},
		{"a file over a file", basic, func(e *env) {
			old := e.open(e.file("b", "old"), unix.O_RDONLY)
			e.ok(unix.Rename(e.file("a", "new"), e.at("b")))
			e.holds(e.at("b"), "new")
			eq(e, "names", e.names(e.dir), "b")
			eq(e, "handle of the old file", e.read(old, 10, 0), "old")
		}},
		{"a directory with what is in it", basic, func(e *env) {
			e.folder("d")
			e.folder("d/sub")
			e.file("d/sub/f", "data")
			e.ok(unix.Rename(e.at("d"), e.at("e")))
			e.gone(e.at("d/sub/f"))
			e.holds(e.at("e/sub/f"), "data")
		}},
		{"a directory over an empty one", basic, func(e *env) {
			e.folder("d")
			e.file("d/f", "")
			e.ok(unix.Rename(e.at("d"), e.folder("e")))
			eq(e, "names", e.names(e.at("e")), "f")
		}},
		{"a directory into another", basic, func(e *env) {
			e.folder("d")
			e.folder("e")
			e.folder("d/sub")
			e.file("d/sub/f", "data")
			e.ok(unix.Rename(e.at("d/sub"), e.at("e/sub")))
			eq(e, "names left", e.names(e.at("d")), "")
			e.holds(e.at("e/sub/f"), "data")
			eq(e, "parent", e.stat(e.at("e/sub/..")).Ino, e.stat(e.at("e")).Ino)
		}},
		{"to itself", basic, func(e *env) {
			e.ok(unix.Rename(e.file("a", "data"), e.at("a")))
			e.holds(e.at("a"), "data")
		}},
		{"a link, not what it points at", basic, func(e *env) {
			e.file("f", "data")
			e.ok(unix.Rename(e.link("l", "f"), e.at("m")))
			eq(e, "type", e.stat(e.at("m")).Mode&unix.S_IFMT, unix.S_IFLNK)
			e.holds(e.at("f"), "data")
		}},
		{"over a link replaces the link", basic, func(e *env) {
			e.file("f", "data")
			e.ok(unix.Rename(e.file("a", "new"), e.link("l", "f")))
			e.holds(e.at("f"), "data")
			e.holds(e.at("l"), "new")
		}},
		{"an open file goes on", basic, func(e *env) {
			fd := e.open(e.file("a", "data"), unix.O_RDWR)
			e.ok(unix.Rename(e.at("a"), e.at("b")))
			e.write(fd, "more", 4)
			e.holds(e.at("b"), "datamore")
		}},
		{"an open file goes on under a renamed directory", basic, func(e *env) {
			e.folder("d")
			fd := e.open(e.file("d/f", "data"), unix.O_RDWR)
			e.ok(unix.Rename(e.at("d"), e.at("e")))
			e.write(fd, "more", 4)
			e.ok(unix.Fsync(fd))
			e.holds(e.at("e/f"), "datamore")
		}},
		{"a replaced file that is open can be written", basic, func(e *env) {
			fd := e.open(e.file("b", "old"), unix.O_RDWR)
			e.ok(unix.Rename(e.file("a", "new"), e.at("b")))
			e.write(fd, "er", 3)
			eq(e, "links", uint64(e.fstat(fd).Nlink), 0)
			eq(e, "content", e.read(fd, 10, 0), "older")
			e.holds(e.at("b"), "new")
		}},
		{"saving as editors do", basic, func(e *env) {
			e.file("f", "old")
			fd := e.open(e.file("f.tmp", ""), unix.O_WRONLY)
			e.write(fd, "new", 0)
			e.ok(unix.Fchmod(fd, 0o600))
			e.ok(unix.Fsync(fd))
			e.ok(unix.Rename(e.at("f.tmp"), e.at("f")))
			e.ok(unix.Fsync(e.open(e.dir, unix.O_DIRECTORY)))
			e.holds(e.at("f"), "new")
			eq(e, "mode", e.perm(e.at("f")), 0o600)
			eq(e, "names", e.names(e.dir), "f")
		}},
		{"two names of one file stay both", HardLinks, func(e *env) {
			e.ok(unix.Link(e.file("a", "data"), e.at("b")))
			e.ok(unix.Rename(e.at("a"), e.at("b")))
			eq(e, "names", e.names(e.dir), "a b")
		}},
	}
	return append(append(tests, renameRefusals()...), renameFlags()...)
}

func renameRefusals() []test {
	var tests []test
	for _, row := range []struct {
		name     string
		from, to string // in a directory with: file f, empty directory d, directory full with file g and directory sub
		want     unix.Errno
	}{
		{"what is missing", "x", "y", unix.ENOENT},
		{"into a missing directory", "f", "x/y", unix.ENOENT},
		{"a file over a directory", "f", "d", unix.EISDIR},
		{"a directory over a file", "d", "f", unix.ENOTDIR},
		{"a directory over one that is not empty", "d", "full", unix.ENOTEMPTY},
		{"a directory into itself", "full", "full/new", unix.EINVAL},
		{"a directory deep into itself", "full", "full/sub/new", unix.EINVAL},
		{"a directory over its parent", "full/sub", "full", unix.ENOTEMPTY},
		{"a file over its parent", "full/g", "full", unix.ENOTEMPTY},
		{"below a file", "d", "f/x", unix.ENOTDIR},
		{"from below a file", "f/x", "y", unix.ENOTDIR},
		{"the directory itself", "d/.", "y", unix.EBUSY},
		{"the parent", "d/..", "y", unix.EBUSY},
		{"a file to a name with a slash", "f", "y/", unix.ENOTDIR},
	} {
		tests = append(tests, test{row.name, basic, func(e *env) {
			e.file("f", "data")
			e.folder("d")
			e.folder("full")
			e.file("full/g", "")
			e.folder("full/sub")
			e.is(unix.Rename(e.at(row.from), e.at(row.to)), row.want)
			eq(e, "names afterwards", e.names(e.dir)+" "+e.names(e.at("full")), "d f full g sub")
		}})
	}
	return tests
}

func renameFlags() []test {
	flagged := func(from, to string, flags uint) error {
		return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags)
	}
	return []test{
		{"RENAME_NOREPLACE to a free name", NoReplace, func(e *env) {
			e.ok(flagged(e.file("a", "data"), e.at("b"), unix.RENAME_NOREPLACE))
			e.holds(e.at("b"), "data")
		}},
		{"RENAME_NOREPLACE to a taken name", NoReplace, func(e *env) {
			e.is(flagged(e.file("a", "new"), e.file("b", "old"), unix.RENAME_NOREPLACE), unix.EEXIST)
			e.holds(e.at("a"), "new")
			e.holds(e.at("b"), "old")
		}},
		{"RENAME_EXCHANGE of files", Exchange, func(e *env) {
			e.ok(flagged(e.file("a", "1"), e.file("b", "2"), unix.RENAME_EXCHANGE))
			e.holds(e.at("a"), "2")
			e.holds(e.at("b"), "1")
		}},
		{"RENAME_EXCHANGE of a file and a directory", Exchange, func(e *env) {
			e.folder("d")
			e.file("d/g", "in")
			e.ok(flagged(e.file("f", "1"), e.at("d"), unix.RENAME_EXCHANGE))
			e.holds(e.at("d"), "1")
			e.holds(e.at("f/g"), "in")
		}},
		fails("RENAME_EXCHANGE with nothing", Exchange, unix.ENOENT, func(e *env) error {
			return flagged(e.file("a", ""), e.at("b"), unix.RENAME_EXCHANGE)
		}),
		fails("RENAME_EXCHANGE with an ancestor", Exchange, unix.EINVAL, func(e *env) error {
			e.folder("d")
			return flagged(e.at("d"), e.file("d/f", ""), unix.RENAME_EXCHANGE)
		}),
		fails("RENAME_EXCHANGE and RENAME_NOREPLACE", basic, unix.EINVAL, func(e *env) error {
			return flagged(e.file("a", ""), e.file("b", ""), unix.RENAME_EXCHANGE|unix.RENAME_NOREPLACE)
		}),
	}
}
