package fstest

import (
	"golang.org/x/sys/unix"
)

// statfsTests hold statfs(2), which df(1) shows.
func statfsTests() []test {
	return []test{
		{"figures that fit together", basic, func(e *env) {
			var st unix.Statfs_t
			e.ok(unix.Statfs(e.dir, &st))
			if st.Bsize <= 0 || st.Blocks < st.Bfree || st.Bfree < st.Bavail || st.Files < st.Ffree {
				e.Errorf("block size %d, blocks %d, free %d, available %d; files %d, free %d",
					st.Bsize, st.Blocks, st.Bfree, st.Bavail, st.Files, st.Ffree)
			}
			eq(e, "longest name", st.Namelen, 255)
		}},
		{"the same by handle", basic, func(e *env) {
			var byName, byHandle unix.Statfs_t
			e.ok(unix.Statfs(e.dir, &byName))
			e.ok(unix.Fstatfs(e.open(e.file("f", ""), unix.O_RDONLY), &byHandle))
			eq(e, "type", byHandle.Type, byName.Type)
			eq(e, "block size", byHandle.Bsize, byName.Bsize)
			eq(e, "blocks", byHandle.Blocks, byName.Blocks)
		}},
		{"one device for all", basic, func(e *env) {
			e.folder("d")
			eq(e, "device", e.stat(e.file("d/f", "")).Dev, e.stat(e.dir).Dev)
		}},
		fails("what is missing", basic, unix.ENOENT, func(e *env) error { return unix.Statfs(e.at("f"), new(unix.Statfs_t)) }),
	}
}
