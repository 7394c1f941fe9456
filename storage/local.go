package storage

import (
	"golang.org/x/sys/unix"
)

// LocalDisk reports whether a path is on a filesystem that only one kernel mounts at a time: a disk of this machine.
// Whatever wrote to it from another boot of any machine cannot write any more. Unknown filesystems count as shared.
func LocalDisk(path string) bool {
	var st unix.Statfs_t
	if err := retryInterrupted(func() error { return unix.Statfs(path, &st) }); err != nil {
		return false
	}
	const zfs, f2fs = 0x2fc12fc1, 0xf2f52010
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC,
		unix.OVERLAYFS_SUPER_MAGIC, zfs, f2fs:
		return true
	}
	return false
}
