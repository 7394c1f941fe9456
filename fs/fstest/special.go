package fstest

import (
	"net"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// specialTests hold what is neither file nor directory nor link.
func specialTests() []test {
	node := func(name string, mode, kind uint32, dev int) test {
		return test{name, SpecialFiles, func(e *env) {
			e.root()
			e.ok(unix.Mknod(e.at("n"), mode|0o640, dev))
			st := e.stat(e.at("n"))
			eq(e, "type", st.Mode&unix.S_IFMT, mode)
			eq(e, "mode", st.Mode&0o7777, 0o640)
			eq(e, "device", st.Rdev, uint64(dev))
			eq(e, "listed type", uint32(e.list(e.dir)["n"].kind), kind)
			e.ok(unix.Rename(e.at("n"), e.at("m")))
			e.ok(unix.Unlink(e.at("m")))
		}}
	}
	return []test{
		node("a fifo", unix.S_IFIFO, unix.DT_FIFO, 0), node("a socket", unix.S_IFSOCK, unix.DT_SOCK, 0),
		node("a character device", unix.S_IFCHR, unix.DT_CHR, int(unix.Mkdev(1, 3))),
		node("a block device", unix.S_IFBLK, unix.DT_BLK, int(unix.Mkdev(7, 200))),
		{"mknod of a regular file", basic, func(e *env) {
			e.ok(unix.Mknod(e.at("f"), unix.S_IFREG|0o600, 0))
			eq(e, "type", e.stat(e.at("f")).Mode&unix.S_IFMT, unix.S_IFREG)
			e.write(e.open(e.at("f"), unix.O_RDWR), "data", 0)
		}},
		{"bytes go through a fifo", SpecialFiles, func(e *env) {
			e.ok(unix.Mkfifo(e.at("p"), 0o600))
			fd := e.open(e.at("p"), unix.O_RDWR|unix.O_NONBLOCK)
			_, err := unix.Write(fd, []byte("data"))
			e.ok(err)
			buf := make([]byte, 10)
			n, err := unix.Read(fd, buf)
			e.ok(err)
			eq(e, "content", string(buf[:n]), "data")
		}},
		{"a socket is listened on", SpecialFiles, func(e *env) {
			// The address of a socket is short, so it is given from a handle of the directory.
			dir := e.open(e.dir, unix.O_DIRECTORY)
			l, err := net.Listen("unix", filepath.Join("/proc/self/fd", strconv.Itoa(dir), "s"))
			e.ok(err)
			eq(e, "type", e.stat(e.at("s")).Mode&unix.S_IFMT, unix.S_IFSOCK)
			c, err := net.Dial("unix", filepath.Join("/proc/self/fd", strconv.Itoa(dir), "s"))
			e.ok(err)
			e.ok(c.Close())
			e.ok(l.Close())
		}},
		{"a device by somebody else than root", SpecialFiles, func(e *env) {
			e.is(e.alice().try(call{Do: "mknod", Path: e.at("n"), Mode: unix.S_IFBLK | 0o666}), unix.EPERM)
		}},
		fails("mknod over a file", SpecialFiles, unix.EEXIST, func(e *env) error { return unix.Mknod(e.file("f", ""), unix.S_IFIFO|0o600, 0) }),
		fails("mknod in a missing directory", SpecialFiles, unix.ENOENT, func(e *env) error {
			return unix.Mknod(e.at("d/p"), unix.S_IFIFO|0o600, 0)
		}),
	}
}
