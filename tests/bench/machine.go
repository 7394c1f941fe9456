package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// machine describes where figures come from.
type machine struct {
	CPU        string
	Cores      int
	MemoryMiB  uint64
	Kernel     string
	Filesystem string // of the data directory
	Go         string
	Commit     string
}

// describe reads the machine's description; what cannot be read is "unknown".
func describe(dir, commit string) machine {
	m := machine{CPU: "unknown", Cores: runtime.NumCPU(), Kernel: "unknown", Filesystem: "unknown", Go: runtime.Version(), Commit: commit}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range bytes.Lines(b) {
			if name, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.MemoryMiB = info.Totalram * uint64(info.Unit) >> 20
	}
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		m.Kernel = unix.ByteSliceToString(uts.Release[:])
	}
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) == nil {
		m.Filesystem = filesystemName(int64(st.Type))
	}
	return m
}

func filesystemName(magic int64) string {
	names := map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs",
		unix.TMPFS_MAGIC: "tmpfs", unix.NFS_SUPER_MAGIC: "nfs", unix.OVERLAYFS_SUPER_MAGIC: "overlayfs", unix.FUSE_SUPER_MAGIC: "fuse"}
	if n, ok := names[magic]; ok {
		return n
	}
	return fmt.Sprintf("%#x", magic)
}

func (m machine) String() string {
	return fmt.Sprintf("%d × %s, %d MiB, Linux %s, %s, %s, commit %s", m.Cores, m.CPU, m.MemoryMiB, m.Kernel, m.Filesystem, m.Go, m.Commit)
}

// usage is what a directory tree occupies.
type usage struct {
	AllocatedBytes int64 // blocks, not lengths: holes and preallocation count as the filesystem counts them
	Files          int
}

// occupied adds up a directory tree; files that vanish meanwhile do not count.
func occupied(dir string) (usage, error) {
	var u usage
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreGone(err)
		}
		info, err := d.Info()
		if err != nil {
			return ignoreGone(err)
		}
		u.Files++
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			u.AllocatedBytes += st.Blocks * 512
		}
		return nil
	})
	return u, err
}

func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}
