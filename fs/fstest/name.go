package fstest

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// nameTests hold what may be a name: any bytes but / and NUL, up to NAME_MAX of them, in paths up to PATH_MAX.
func nameTests() []test {
	long := strings.Repeat("n", 256)
	tests := []test{
		{"every byte", basic, func(e *env) {
			want := 0
			for b := 1; b < 256; b++ {
				if b == '/' || b == '.' {
					continue
				}
				name := string([]byte{byte(b)})
				e.ok(unix.Mkdir(e.at(name), 0o755))
				e.file(name+"/"+name, name)
				e.holds(e.at(name+"/"+name), name)
				want++
			}
			eq(e, "names", len(e.list(e.dir)), want)
		}},
		{"upper and lower case are different", basic, func(e *env) {
			e.file("name", "lower")
			e.file("NAME", "upper")
			e.holds(e.at("name"), "lower")
		}},
		{"composed and decomposed letters are different", basic, func(e *env) {
			e.file("\u00e9", "one")
			e.file("e\u0301", "two")
			e.holds(e.at("\u00e9"), "one")
			eq(e, "names", len(e.list(e.dir)), 2)
		}},
		fails("256 bytes", basic, unix.ENAMETOOLONG, func(e *env) error { return opens(e.at(long), unix.O_RDWR|unix.O_CREAT) }),
		fails("256 bytes looked up", basic, unix.ENAMETOOLONG, func(e *env) error { return unix.Unlink(e.at(long)) }),
		fails("mkdir of 256 bytes", basic, unix.ENAMETOOLONG, func(e *env) error { return unix.Mkdir(e.at(long), 0o755) }),
		fails("rename to 256 bytes", basic, unix.ENAMETOOLONG, func(e *env) error {
			return unix.Rename(e.file("f", ""), e.at(long))
		}),
		fails("symlink of 256 bytes", basic, unix.ENAMETOOLONG, func(e *env) error { return unix.Symlink("x", e.at(long)) }),
		fails("256 bytes on the way", basic, unix.ENAMETOOLONG, func(e *env) error { return opens(e.at(long+"/f"), unix.O_RDONLY) }),
		{"a path of 4095 bytes", LongPaths, func(e *env) {
			path := longPath(e, 4095)
			e.ok(opens(path, unix.O_RDWR|unix.O_CREAT))
			e.ok(unix.Unlink(path))
		}},
		fails("a path of 4096 bytes", basic, unix.ENAMETOOLONG, func(e *env) error {
			return opens(e.dir+strings.Repeat("/.", (4096-len(e.dir))/2+1), unix.O_RDONLY)
		}),
	}
	for _, name := range []string{
		strings.Repeat("n", 255), strings.Repeat("\u00e9", 127), ".hidden", "..two", "...", " ", "trailing ", "trailing.", "-", "*?[]",
		`back\slash`, "new\nline", "\xff\xfe not UTF-8", "CON", "a:b", "%2F", "\u200b", "日本語",
	} {
		tests = append(tests, test{fmt.Sprintf("%.20q", name), basic, func(e *env) { nameWorks(e, name) }})
	}
	return tests
}

// nameWorks takes a name through the calls that carry one.
func nameWorks(e *env, name string) {
	e.file(name, "data")
	e.holds(e.at(name), "data")
	eq(e, "listed", e.names(e.dir), name)
	e.ok(unix.Rename(e.at(name), e.at("other")))
	e.ok(unix.Rename(e.at("other"), e.at(name)))
	e.ok(unix.Unlink(e.at(name)))
	e.folder(name)
	e.file(name+"/f", "in")
	e.ok(unix.Unlink(e.at(name + "/f")))
	e.ok(unix.Rmdir(e.at(name)))
	e.link(name, name)
	eq(e, "listed as a link", e.names(e.dir), name)
}

// longPath makes directories until a file in the last has a path of n bytes.
func longPath(e *env, n int) string {
	path := e.dir
	for n-len(path) > 256 {
		path += "/" + strings.Repeat("d", min(200, n-len(path)-3))
		e.ok(unix.Mkdir(path, 0o755))
	}
	return path + "/" + strings.Repeat("f", n-len(path)-1)
}
