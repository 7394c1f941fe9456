// Package storagetest has the filesystems that crash and fault tests run on: [CrashFS], a filesystem in memory that can show
// what a power failure would leave of it, and [FaultFS], which counts the calls to another filesystem and makes
// one of them go wrong. A crash test reads
//
//	for n := 0; ; n++ {
//		disk := storagetest.NewCrash()
//		fs := storagetest.NewFault(disk, storagetest.StopAt(n))
//		acknowledged := run(fs)
//		check(disk.Crash(seed), acknowledged)
//		if !fs.Triggered() {
//			break
//		}
//	}
//
// Its invariant: CrashFS behaves as the operating system's filesystem does (a test runs the same random calls on both), and
// after a crash everything that was synced is there. What was not synced may be there in whole, in part or not at all.
//
// Unsynced bytes survive by 512-byte sectors, in any order, and a sector written twice may hold the first version.
// Unsynced changes of a directory survive in the order they were made, but those of different directories independently.
// It is not a model of a shared mount with several clients: caches, late writes and stale listings are not in it, except that
// FaultFS can hold a call back and let it land later.
package storagetest
