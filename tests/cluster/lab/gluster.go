package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Gluster is GlusterFS with a replica on every host: a server, a brick and a mount in each. It goes on without a minority of them. A mount
// that was cut off finds its locked files unusable when it comes back.
func Gluster() Storage { return gluster{} }

type gluster struct{}

const (
	glusterVolume = "shared"
	brickProgram  = "glusterfsd"
)

// glusterOptions make the volume coherent between mounts and quick to notice what is gone:
//
//   - I/O waits for a server that vanished for ping-timeout (default 42 s), and that server forgets a vanished mount's locks as quickly;
//   - strict-locks: after a lost connection an open file that held a lock fails instead of being opened again without it;
//   - no caches between the mounts and the bricks;
//   - gfid2path writes an extended attribute per hard link, of which ext4 has room for about 45; max-hardlinks 0 is no limit;
//   - heal-timeout: a brick that comes back is made whole within seconds instead of ten minutes.
var glusterOptions = []string{
	"network.ping-timeout", "5",
	"server.tcp-user-timeout", "5", "server.keepalive-time", "3", "server.keepalive-interval", "1", "server.keepalive-count", "3",
	"client.tcp-user-timeout", "5", "client.keepalive-time", "3", "client.keepalive-interval", "1", "client.keepalive-count", "3",
	"client.strict-locks", "on",
	"performance.quick-read", "off", "performance.io-cache", "off", "performance.read-ahead", "off", "performance.stat-prefetch", "off",
	"performance.open-behind", "off", "performance.flush-behind", "off", "performance.client-io-threads", "on",
	"storage.gfid2path", "off", "storage.max-hardlinks", "0", "storage.fips-mode-rchecksum", "on",
	"cluster.heal-timeout", "5",
	"diagnostics.client-log-level", "WARNING", "diagnostics.brick-log-level", "WARNING",
}

func (gluster) Name() string    { return "gluster" }
func (gluster) Networked() bool { return true }
func (gluster) Fences() bool    { return true }

func (gluster) mount(l *Lab, h Host) string { return mountPoint(l, h) }

func (s gluster) up(ctx context.Context, l *Lab) error {
	for _, h := range l.Hosts() {
		if err := s.startDaemon(l, h); err != nil {
			return err
		}
	}
	for _, h := range l.Hosts() {
		if err := await(ctx, "glusterd", func() error { return s.cli(ctx, l, h, "peer", "status") }); err != nil {
			return err
		}
	}
	if err := s.makeVolume(ctx, l); err != nil {
		return err
	}
	for _, h := range l.Hosts() {
		if err := s.startMount(ctx, l, h); err != nil {
			return err
		}
	}
	return nil
}

// privateRun starts glusterd with directories of its own where the programs of GlusterFS have theirs built in. They are mounted in a mount
// namespace that ends with it; a slave of the machine's, so that mounts taken away there are not kept alive here. Without gsyncd glusterd
// takes geo-replication for not installed; with it, it runs a dozen Python programs when it first starts.
const privateRun = `set -e
mount --bind "$1/lib" /var/lib/glusterd
mount --bind "$1/log" /var/log/glusterfs
mount -t tmpfs tmpfs /run
mkdir /run/gluster /run/lock
programs=$(echo /usr/lib/*/glusterfs)
mount --bind "$programs" "$1/programs"
mount -t tmpfs tmpfs "$programs"
for p in "$1"/programs/*; do
	[ "${p##*/}" = gsyncd ] || ln -s "$p" "$programs/"
done
exec glusterd --no-daemon --log-level WARNING --log-file /var/log/glusterfs/glusterd.log`

func (s gluster) home(l *Lab, h Host) string { return filepath.Join(l.Dir(h), "gluster") }

func (s gluster) startDaemon(l *Lab, h Host) error {
	home := s.home(l, h)
	for _, d := range []string{"lib", "log", "brick", "programs"} {
		if err := os.MkdirAll(filepath.Join(home, d), 0o755); err != nil {
			return err
		}
	}
	_, err := l.Start(h, "glusterd", nil, "unshare", "--mount", "--propagation", "slave", "bash", "-c", privateRun, "glusterd", home)
	return err
}

// cli runs a command of GlusterFS in a host. Its socket is in the mount namespace of the host's glusterd.
func (s gluster) cli(ctx context.Context, l *Lab, h Host, args ...string) error {
	_, err := s.ask(ctx, l, h, args...)
	return err
}

func (gluster) ask(ctx context.Context, l *Lab, h Host, args ...string) (string, error) {
	pids, err := l.pidsNamed(ctx, h, "glusterd")
	if err != nil {
		return "", err
	}
	if len(pids) != 1 {
		return "", fmt.Errorf("%d glusterd run in host %d", len(pids), h)
	}
	return run(ctx, "nsenter", append([]string{"--target", fmt.Sprint(pids[0]), "--net", "--mount", "--", "gluster", "--mode=script"}, args...)...)
}

// makeVolume joins the servers and makes a volume with a replica on each.
func (s gluster) makeVolume(ctx context.Context, l *Lab) error {
	create := []string{"volume", "create", glusterVolume}
	if l.n > 1 {
		create = append(create, "replica", fmt.Sprint(l.n))
	}
	for _, h := range l.Hosts() {
		if h > 1 {
			if err := s.cli(ctx, l, 1, "peer", "probe", l.storeAddress(h)); err != nil {
				return err
			}
		}
		create = append(create, l.storeAddress(h)+":"+filepath.Join(s.home(l, h), "brick", "b"))
	}
	err := await(ctx, "peers", func() error {
		out, err := s.ask(ctx, l, 1, "peer", "status")
		if err == nil && strings.Count(out, "Peer in Cluster (Connected)") != l.n-1 {
			err = errors.New(out)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		append(create, "force"), append([]string{"volume", "set", glusterVolume}, glusterOptions...), {"volume", "start", glusterVolume},
	} {
		if err := s.cli(ctx, l, 1, args...); err != nil {
			return err
		}
	}
	return s.awaitBricks(ctx, l)
}

// awaitBricks waits until all bricks are served.
func (s gluster) awaitBricks(ctx context.Context, l *Lab) error {
	return await(ctx, "bricks", func() error {
		out, err := s.ask(ctx, l, 1, "volume", "status", glusterVolume, "detail")
		if err == nil && strings.Count(strings.Join(strings.Fields(out), " "), "Online : Y") != l.n {
			err = errors.New(out)
		}
		return err
	})
}

// startMount mounts the volume, without caches of names and attributes. The client runs in the host's networks and the mount is visible to
// all: only mount namespaces would hide it.
func (s gluster) startMount(ctx context.Context, l *Lab, h Host) error {
	point := mountPoint(l, h)
	if err := os.MkdirAll(point, 0o755); err != nil {
		return err
	}
	_, err := l.Start(h, "mount", nil, "glusterfs", "--no-daemon", "--process-name", "fuse", "--volfile-server="+l.storeAddress(h),
		"--volfile-id="+glusterVolume, "--attribute-timeout=0", "--entry-timeout=0", "--log-level=WARNING",
		"--log-file="+filepath.Join(s.home(l, h), "log", "mount.log"), point)
	if err != nil {
		return err
	}
	return awaitMount(ctx, point)
}

// awaitMount waits until a FUSE filesystem answers at a directory.
func awaitMount(ctx context.Context, point string) error {
	const fuse = 0x65735546 // statfs(2): FUSE_SUPER_MAGIC
	return await(ctx, "mount at "+point, func() error {
		var st unix.Statfs_t
		if err := unix.Statfs(point, &st); err != nil {
			return err
		}
		if st.Type != fuse || st.Blocks == 0 {
			return fmt.Errorf("a filesystem of type %#x with %d blocks", st.Type, st.Blocks)
		}
		return nil
	})
}

func (gluster) killServer(ctx context.Context, l *Lab, h Host) error {
	return killNamed(ctx, l, h, brickProgram)
}

// startServer asks until the brick is there: for some moments after its death glusterd takes it for running and says that all is well.
func (s gluster) startServer(ctx context.Context, l *Lab, h Host) error {
	return await(ctx, "brick", func() error {
		if err := s.cli(ctx, l, h, "volume", "start", glusterVolume, "force"); err != nil {
			return err
		}
		pids, err := l.pidsNamed(ctx, h, brickProgram)
		if err == nil && len(pids) == 0 {
			err = errors.New("it does not run")
		}
		return err
	})
}

// whole asks each mount about its connections, and then the servers whether something waits to be healed.
func (s gluster) whole(ctx context.Context, l *Lab) error {
	for _, h := range l.Hosts() {
		for brick := range l.n {
			state := filepath.Join(mountPoint(l, h), ".meta", "graphs", "active", fmt.Sprintf("%s-client-%d", glusterVolume, brick), "private")
			err := await(ctx, fmt.Sprintf("mount %d with brick %d", h, brick+1), func() error {
				b, err := os.ReadFile(state)
				if err == nil && !strings.Contains(string(b), "connected = 1") {
					err = errors.New(string(b))
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return await(ctx, "healing", func() error {
		out, err := s.ask(ctx, l, 1, "volume", "heal", glusterVolume, "info")
		if err == nil && strings.Count(out, "Number of entries: 0\n") != l.n {
			err = errors.New(out)
		}
		return err
	})
}
