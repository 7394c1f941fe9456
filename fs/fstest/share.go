package fstest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// shareTests hold what several processes see of each other, on one mount and over two.
func shareTests() []test {
	tests := []test{
		{"appends of several processes do not overwrite each other", basic, appenders},
		{"two directories are not moved into each other", basic, func(e *env) { noCycle(e, e.dir) }},
		{"two directories are not moved into each other over two mounts", CloseToOpen, func(e *env) { noCycle(e, e.other) }},
		{"two readers see what one writer wrote", basic, func(e *env) { readersAndWriter(e, false) }},
		{"two readers see all that the size promises", SizeAtOnce, func(e *env) { readersAndWriter(e, true) }},
		{"rename over a file is seen whole", WholeReplace, replacing},
		{"an unlinked file stays open on another mount", CrossHandles, func(e *env) {
			e.file("f", "data")
			fd := e.open(e.there("f"), unix.O_RDONLY)
			e.ok(unix.Unlink(e.at("f")))
			e.ok(os.WriteFile(e.at("g"), []byte("else"), 0o644))
			eq(e, "content", e.read(fd, 10, 0), "data")
		}},
		{"a replaced file stays open on another mount", CrossHandles, func(e *env) {
			e.file("f", "old")
			fd := e.open(e.there("f"), unix.O_RDONLY)
			e.ok(unix.Rename(e.file("g", "new"), e.at("f")))
			eq(e, "content", e.read(fd, 10, 0), "old")
			e.holds(e.there("f"), "new")
		}},
	}
	tests = append(tests, contests()...)
	for _, row := range seen() {
		tests = append(tests, test{"seen elsewhere: " + row.name, CloseToOpen, func(e *env) {
			e.folder("d")
			e.file("f", "data")
			e.holds(e.there("f"), "data") // the other mount has it in its caches
			eq(e, "names at first", e.names(e.other), "d f")
			row.run(e)
		}})
	}
	return tests
}

// sight is a change on one mount, to d and f, and how the other must see it at once.
type sight struct {
	name string
	run  func(e *env)
}

func seen() []sight {
	return []sight{
		{"a file that was closed", func(e *env) { e.file("g", "new"); e.holds(e.there("g"), "new") }},
		{"other content of the same size", func(e *env) { e.file("f", "DATA"); e.holds(e.there("f"), "DATA") }},
		{"a longer file", func(e *env) { e.file("f", pattern(50000)); e.holds(e.there("f"), pattern(50000)) }},
		{"a shorter file", func(e *env) { e.ok(unix.Truncate(e.at("f"), 1)); e.holds(e.there("f"), "d") }},
		{"what was synced while the writer has it open", func(e *env) {
			fd := e.open(e.at("f"), unix.O_WRONLY)
			e.write(fd, "more", 4)
			e.ok(unix.Fsync(fd))
			e.holds(e.there("f"), "datamore")
		}},
		{"a removed file", func(e *env) { e.ok(unix.Unlink(e.at("f"))); e.is(opens(e.there("f"), unix.O_RDONLY), unix.ENOENT) }},
		{"a file that was looked for before it was there", func(e *env) {
			e.is(opens(e.there("g"), unix.O_RDONLY), unix.ENOENT)
			e.file("g", "new")
			e.holds(e.there("g"), "new")
		}},
		{"a renamed file", func(e *env) {
			e.ok(unix.Rename(e.at("f"), e.at("g")))
			e.is(opens(e.there("f"), unix.O_RDONLY), unix.ENOENT)
			e.holds(e.there("g"), "data")
		}},
		{"a file in a renamed directory", func(e *env) {
			e.file("d/f", "in")
			e.holds(e.there("d/f"), "in")
			e.ok(unix.Rename(e.at("d"), e.at("e")))
			e.is(opens(e.there("d/f"), unix.O_RDONLY), unix.ENOENT)
			e.holds(e.there("e/f"), "in")
		}},
		{"a new directory", func(e *env) { e.folder("e"); eq(e, "names", e.names(e.other), "d e f") }},
		{"a removed directory", func(e *env) { e.ok(unix.Rmdir(e.at("d"))); eq(e, "names", e.names(e.other), "f") }},
		{"a mode, by handle", func(e *env) {
			e.ok(unix.Chmod(e.at("f"), 0o600))
			eq(e, "mode", e.fstat(e.open(e.there("f"), unix.O_RDONLY)).Mode&0o7777, 0o600)
		}},
		{"appended from both sides in turn", func(e *env) {
			for i := range 6 {
				dir := []string{e.dir, e.other}[i%2]
				fd, err := unix.Open(dir+"/f", unix.O_WRONLY|unix.O_APPEND|unix.O_CLOEXEC, 0)
				e.ok(err)
				_, err = unix.Write(fd, []byte(fmt.Sprint(i)))
				e.ok(err)
				e.ok(unix.Close(fd))
			}
			e.holds(e.at("f"), "data012345")
			e.holds(e.there("f"), "data012345")
		}},
	}
}

// appenders write lines of their own letter; every line must be whole and all must be there.
func appenders(e *env) {
	const processes, lines, width = 4, 200, 100
	path := e.file("f", "")
	var waits []func() (reply, error)
	for i := range processes {
		line := strings.Repeat(string(rune('a'+i)), width-1) + "\n"
		waits = append(waits, e.actor().start(call{Do: "append", Path: path, Len: lines, Data: []byte(line)}))
	}
	for _, wait := range waits {
		_, err := wait()
		e.ok(err)
	}
	data, err := os.ReadFile(path)
	e.ok(err)
	eq(e, "size", len(data), processes*lines*width)
	for _, line := range bytes.SplitAfter(data, []byte("\n")) {
		if len(line) > 0 && (len(line) != width || bytes.Count(line, line[:1]) != width-1) {
			e.Fatalf("a line is %q", line)
		}
	}
}

// contests are the calls of which one of two processes must win.
func contests() []test {
	var tests []test
	for _, row := range []struct {
		what  string
		needs Promise
	}{{"create", basic}, {"mkdir", basic}, {"unlink", basic}, {"rename", basic}, {"RENAME_NOREPLACE", NoReplace}, {"link", HardLinks}} {
		tests = append(tests,
			test{row.what + " has one winner", row.needs, func(e *env) { winners(e, row.what, e.at("x"), e.at("x")) }},
			test{row.what + " has one winner over two mounts", CloseToOpen, func(e *env) {
				e.needs(row.needs)
				winners(e, row.what, e.at("x"), e.there("x"))
			}},
		)
	}
	return tests
}

// winners has two processes make the same calls; exactly one of them succeeds with each.
func winners(e *env, what, one, two string) {
	const rounds = 200
	for i := range rounds {
		switch what {
		case "unlink", "rename":
			e.file(fmt.Sprint("x", i), "")
		case "link", "RENAME_NOREPLACE":
			e.file(fmt.Sprint("x", i, ".a"), "")
			e.file(fmt.Sprint("x", i, ".b"), "")
		}
	}
	a, b := e.actor(), e.actor()
	first := a.start(call{Do: "race", To: what, Path: one, Len: rounds, Data: []byte(".a")})
	second := b.start(call{Do: "race", To: what, Path: two, Len: rounds, Data: []byte(".b")})
	ra, err := first()
	e.ok(err)
	rb, err := second()
	e.ok(err)
	for i := range rounds {
		if ra.Data[i]+rb.Data[i] != 1 {
			e.Errorf("call %d succeeded in %d processes", i, ra.Data[i]+rb.Data[i])
		}
	}
}

// noCycle has two processes move two directories into each other. One must come too late, else both would be cut off from the root.
func noCycle(e *env, second string) {
	const rounds = 100
	a, b := e.actor(), e.actor()
	for i := range rounds {
		x, y := fmt.Sprint("x", i), fmt.Sprint("y", i)
		e.folder(x)
		e.folder(y)
		first := a.start(call{Do: "rename", Path: e.at(x), To: e.at(y + "/" + x)})
		other := b.start(call{Do: "rename", Path: second + "/" + y, To: second + "/" + x + "/" + y})
		_, errA := first()
		_, errB := other()
		if (errA == nil) == (errB == nil) {
			e.Fatalf("round %d: got %v and %v, want one success", i, errA, errB)
		}
		if late := errnoOf(errors.Join(errA, errB)); late != unix.EINVAL && late != unix.ENOENT {
			e.Errorf("round %d: the later one got %s", i, errnoName(late))
		}
	}
	eq(e, "directories left at the top", len(e.list(e.dir)), rounds)
}

// readersAndWriter reads a file while another process appends blocks. What is read must be what was written, and nothing may go away
// again. With all set, what the size says is there must be read at once.
func readersAndWriter(e *env, all bool) {
	const blocks, width = 300, 1000
	path := e.file("f", "")
	done := e.actor().start(call{Do: "append", Path: path, Len: blocks, Data: bytes.Repeat([]byte("w"), width)})
	readers := []int{e.open(path, unix.O_RDONLY), e.open(path, unix.O_RDONLY)}
	var seen int64
	for end := time.Now().Add(patience); seen < blocks*width; {
		if time.Now().After(end) {
			e.Fatalf("only %d bytes came within %v", seen, patience)
		}
		for _, fd := range readers {
			size := e.fstat(fd).Size
			if size < seen {
				e.Fatalf("the file shrank from %d to %d", seen, size)
			}
			got := e.read(fd, int(size-seen), seen)
			if strings.Count(got, "w") != len(got) || all && int64(len(got)) != size-seen {
				e.Fatalf("from %d to %d: read %d bytes, %d of them written", seen, size, len(got), strings.Count(got, "w"))
			}
			seen += int64(len(got))
		}
	}
	_, err := done()
	e.ok(err)
}

// replacing renames over a file that is opened meanwhile: it is always there, and always whole.
func replacing(e *env) {
	const rounds = 300
	a := e.actor()
	path := e.file("f", strings.Repeat("0", 1000))
	for i := range rounds {
		fresh := e.file("new", strings.Repeat(fmt.Sprint(i%10), 1000))
		wait := a.start(call{Do: "rename", Path: fresh, To: path})
		data, err := os.ReadFile(path)
		e.ok(err)
		if len(data) != 1000 || bytes.Count(data, data[:1]) != 1000 {
			e.Fatalf("round %d: read %s", i, clip(string(data)))
		}
		_, err = wait()
		e.ok(err)
	}
}
