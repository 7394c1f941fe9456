package fstest

import "golang.org/x/sys/unix"

// linkTests hold link(2). A file system without hard links refuses them as its Gap says.
func linkTests() []test {
	return []test{
		{"two names are one file", HardLinks, func(e *env) {
			path := e.file("a", "data")
			e.ok(unix.Link(path, e.at("b")))
			eq(e, "inode", e.stat(e.at("b")).Ino, e.stat(path).Ino)
			eq(e, "links", uint64(e.stat(path).Nlink), 2)
			e.write(e.open(path, unix.O_WRONLY), "DATA", 0)
			e.holds(e.at("b"), "DATA")
			e.ok(unix.Chmod(e.at("b"), 0o600))
			eq(e, "mode", e.perm(path), 0o600)
		}},
		{"names in two directories", HardLinks, func(e *env) {
			e.folder("d")
			e.ok(unix.Link(e.file("a", "data"), e.at("d/b")))
			e.ok(unix.Unlink(e.at("a")))
			e.holds(e.at("d/b"), "data")
		}},
		{"replaced by rename", HardLinks, func(e *env) {
			e.ok(unix.Link(e.file("a", "data"), e.at("b")))
			e.ok(unix.Rename(e.file("c", "new"), e.at("b")))
			eq(e, "links", uint64(e.stat(e.at("a")).Nlink), 1)
			e.holds(e.at("a"), "data")
		}},
		{"a link to a symbolic link", HardLinks, func(e *env) {
			e.ok(unix.Link(e.link("l", "nowhere"), e.at("m")))
			eq(e, "type", e.stat(e.at("m")).Mode&unix.S_IFMT, unix.S_IFLNK)
		}},
		{"AT_SYMLINK_FOLLOW links the file", HardLinks, func(e *env) {
			e.file("f", "data")
			e.ok(unix.Linkat(unix.AT_FDCWD, e.link("l", "f"), unix.AT_FDCWD, e.at("m"), unix.AT_SYMLINK_FOLLOW))
			eq(e, "inode", e.stat(e.at("m")).Ino, e.stat(e.at("f")).Ino)
		}},
		{"a hundred names", HardLinks, func(e *env) {
			path := e.file("f", "")
			for i := range 100 {
				e.ok(unix.Link(path, e.at("l"+string(rune('A'+i)))))
			}
			eq(e, "links", uint64(e.stat(path).Nlink), 101)
		}},
		fails("over a file", HardLinks, unix.EEXIST, func(e *env) error { return unix.Link(e.file("a", ""), e.file("b", "")) }),
		fails("of what is missing", basic, unix.ENOENT, func(e *env) error { return unix.Link(e.at("a"), e.at("b")) }),
		fails("of a directory", basic, unix.EPERM, func(e *env) error { return unix.Link(e.folder("d"), e.at("b")) }),
		fails("into a missing directory", basic, unix.ENOENT, func(e *env) error { return unix.Link(e.file("a", ""), e.at("d/b")) }),
		fails("below a file", basic, unix.ENOTDIR, func(e *env) error { return unix.Link(e.file("a", ""), e.at("a/b")) }),
	}
}
