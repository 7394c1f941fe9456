package fstest

import (
	"fmt"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// xattrTests hold the user.* attributes of xattr(7).
func xattrTests() []test {
	set := func(path, name, value string, flags int) error {
		return unix.Setxattr(path, name, []byte(value), flags)
	}
	return []test{
		{"set, get, replace, remove", UserXattrs, func(e *env) {
			path := e.file("f", "")
			e.ok(set(path, "user.a", "one", 0))
			e.xattr(path, "user.a", "one")
			e.ok(set(path, "user.a", "another", 0))
			e.xattr(path, "user.a", "another")
			e.ok(unix.Removexattr(path, "user.a"))
			_, err := unix.Getxattr(path, "user.a", nil)
			e.is(err, unix.ENODATA)
		}},
		{"an empty value and any bytes", UserXattrs, func(e *env) {
			path := e.file("f", "")
			for _, value := range []string{"", "\x00\xff\n", strings.Repeat("x", 1000)} {
				e.ok(set(path, "user.a", value, 0))
				e.xattr(path, "user.a", value)
			}
		}},
		{"a list", UserXattrs, func(e *env) {
			path := e.file("f", "")
			e.ok(set(path, "user.b", "2", 0))
			e.ok(set(path, "user.a", "1", 0))
			e.ok(set(path, "user.with.dots and blanks", "3", 0))
			eq(e, "names", e.xattrs(path), "user.a,user.b,user.with.dots and blanks")
			e.ok(unix.Removexattr(path, "user.b"))
			eq(e, "names after removal", e.xattrs(path), "user.a,user.with.dots and blanks")
		}},
		{"an empty list", UserXattrs, func(e *env) { eq(e, "names", e.xattrs(e.file("f", "")), "") }},
		{"on a directory", UserXattrs, func(e *env) {
			e.ok(set(e.folder("d"), "user.a", "one", 0))
			e.xattr(e.at("d"), "user.a", "one")
		}},
		{"by handle", UserXattrs, func(e *env) {
			fd := e.open(e.file("f", ""), unix.O_RDWR)
			e.ok(unix.Fsetxattr(fd, "user.a", []byte("one"), 0))
			e.xattr(e.at("f"), "user.a", "one")
			e.ok(unix.Fremovexattr(fd, "user.a"))
			eq(e, "names", e.xattrs(e.at("f")), "")
		}},
		{"go with a rename", UserXattrs, func(e *env) {
			e.ok(set(e.file("f", ""), "user.a", "one", 0))
			e.ok(unix.Rename(e.at("f"), e.at("g")))
			e.xattr(e.at("g"), "user.a", "one")
		}},
		{"stay through writing and truncation", UserXattrs, func(e *env) {
			path := e.file("f", "data")
			e.ok(set(path, "user.a", "one", 0))
			e.file("f", "other")
			e.xattr(path, "user.a", "one")
		}},
		{"a size of zero asks how much there is", UserXattrs, func(e *env) {
			path := e.file("f", "")
			e.ok(set(path, "user.a", "12345", 0))
			n, err := unix.Getxattr(path, "user.a", nil)
			e.ok(err)
			eq(e, "size", n, 5)
		}},
		{"twenty attributes", UserXattrs, func(e *env) {
			path := e.file("f", "")
			for i := range 20 {
				e.ok(set(path, fmt.Sprint("user.", i), strings.Repeat("v", i), 0))
			}
			for i := range 20 {
				e.xattr(path, fmt.Sprint("user.", i), strings.Repeat("v", i))
			}
		}},
		fails("XATTR_CREATE of one that is there", UserXattrs, unix.EEXIST, func(e *env) error {
			e.ok(set(e.file("f", ""), "user.a", "one", unix.XATTR_CREATE))
			return set(e.at("f"), "user.a", "two", unix.XATTR_CREATE)
		}),
		fails("XATTR_REPLACE of one that is not", UserXattrs, unix.ENODATA, func(e *env) error {
			return set(e.file("f", ""), "user.a", "one", unix.XATTR_REPLACE)
		}),
		fails("removing one that is not there", UserXattrs, unix.ENODATA, func(e *env) error {
			return unix.Removexattr(e.file("f", ""), "user.a")
		}),
		fails("a buffer too small for a value", UserXattrs, unix.ERANGE, func(e *env) error {
			e.ok(set(e.file("f", ""), "user.a", "12345", 0))
			_, err := unix.Getxattr(e.at("f"), "user.a", make([]byte, 4))
			return err
		}),
		fails("a buffer too small for a list", UserXattrs, unix.ERANGE, func(e *env) error {
			e.ok(set(e.file("f", ""), "user.a", "12345", 0))
			_, err := unix.Listxattr(e.at("f"), make([]byte, 4))
			return err
		}),
		fails("a value over 64 KiB", UserXattrs, unix.E2BIG, func(e *env) error {
			return set(e.file("f", ""), "user.a", strings.Repeat("v", 65537), 0)
		}),
		fails("a name over 255 bytes", UserXattrs, unix.ERANGE, func(e *env) error {
			return set(e.file("f", ""), "user."+strings.Repeat("n", 251), "v", 0)
		}),
		fails("a name without a space", UserXattrs, unix.EOPNOTSUPP, func(e *env) error { return set(e.file("f", ""), "plain", "v", 0) }),
		fails("on a missing file", UserXattrs, unix.ENOENT, func(e *env) error { return set(e.at("f"), "user.a", "v", 0) }),
		fails("on a link itself", UserXattrs, unix.EPERM, func(e *env) error {
			return unix.Lsetxattr(e.link("l", "x"), "user.a", []byte("v"), 0)
		}),
		fails("by somebody without the right to write", UserXattrs, unix.EACCES, func(e *env) error {
			a := e.alice()
			return a.try(call{Do: "setxattr", Path: e.file("f", ""), To: "user.a", Data: []byte("v")})
		}),
	}
}

// xattr checks the value of an attribute.
func (e *env) xattr(path, name, want string) {
	e.Helper()
	buf := make([]byte, 70000)
	n, err := unix.Getxattr(path, name, buf)
	e.ok(err)
	eq(e, name, string(buf[:n]), want)
}

// xattrs lists the user attributes, sorted. A system may show attributes of its own besides.
func (e *env) xattrs(path string) string {
	e.Helper()
	buf := make([]byte, 70000)
	n, err := unix.Listxattr(path, buf)
	e.ok(err)
	var names []string
	for _, name := range strings.Split(string(buf[:n]), "\x00") {
		if strings.HasPrefix(name, "user.") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return strings.Join(names, ",")
}
