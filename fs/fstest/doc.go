// Package fstest is what a mounted directory must do, as tests. Run goes through it by system calls only, so it fits any file
// system: a plain directory, which is the reference, a loopback mount, and the file mount.
//
// Its invariant: every subtest is one promise of POSIX or of the Linux manual pages, and where a call must fail, the errno is
// named exactly. What a file system does not offer is said in Options.Without, one Promise each with the reason and, where
// refusing is what honest lack looks like, the errno that every attempt must meet. What is not said is demanded.
//
// A mount that joins needs
//
//   - TestMain with os.Exit(fstest.Main(m)): locks, credentials and faults are tried in processes of their own, and those are
//     the test binary executed again;
//   - its server in another process. A page fault on a mapping stops a thread of the Go runtime where the collector cannot
//     reach it, so a server in the process of the test could wait for itself;
//   - root, with the mount and the way to it open to all users, and modes enforced. Without root the subtests about other users are
//     skipped, and say so;
//   - for what two hosts see of each other, Options.Other: the same directory through another mount.
//
// Besides the table of promises there are two random tests, which check against models in memory: of the bytes of one file, and
// of a tree of names. Both print a seed that replays them, and cut a failing run down to the steps that matter.
//
// It is not a benchmark, says nothing of durability beyond fsync returning (that takes a crash), and does not try what the
// kernel decides alone before a file system is asked.
package fstest
