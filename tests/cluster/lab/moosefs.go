package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// MooseFS is MooseFS with a chunk server and a mount on every host and a copy of every chunk on each. It fences nothing: what a mount that
// was cut off wrote late takes effect when it comes back. Its one master is in the hub, where no drill reaches it.
func MooseFS() Storage { return moosefs{} }

type moosefs struct{}

func (moosefs) Name() string    { return "moosefs" }
func (moosefs) Networked() bool { return true }
func (moosefs) Fences() bool    { return false }

func (moosefs) mount(l *Lab, h Host) string { return mountPoint(l, h) }

const (
	masterConfig = `WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = %[1]s
EXPORTS_FILENAME = %[1]s/exports
TOPOLOGY_FILENAME = %[1]s/topology
SYSLOG_IDENT = mfsmaster
ACCEPTABLE_DIFFERENCE = 0.9
`
	chunkConfig = `WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = %[1]s/data
HDD_CONF_FILENAME = %[1]s/disks
HDD_LEAVE_SPACE_DEFAULT = 256MiB
HDD_FSYNC_BEFORE_CLOSE = 1
MASTER_HOST = %[2]s
BIND_HOST = %[3]s
MASTER_RECONNECTION_DELAY = 1
SYSLOG_IDENT = mfschunkserver
`
	exports       = "* / rw,alldirs,admin,maproot=0:0\n* . rw\n"
	emptyMetadata = "/var/lib/mfs/metadata.mfs.empty" // Debian's moosefs-master has it there
)

func (s moosefs) up(ctx context.Context, l *Lab) error {
	if err := s.startMaster(ctx, l); err != nil {
		return err
	}
	for _, h := range l.Hosts() {
		if err := s.makeServer(l, h); err != nil {
			return err
		}
		if err := s.startServer(ctx, l, h); err != nil {
			return err
		}
	}
	for _, h := range l.Hosts() {
		if err := s.startMount(ctx, l, h); err != nil {
			return err
		}
	}
	return s.copies(ctx, l)
}

func (moosefs) startMaster(ctx context.Context, l *Lab) error {
	home := filepath.Join(l.dir, "master")
	empty, err := os.ReadFile(emptyMetadata)
	if err != nil {
		return err
	}
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"mfsmaster.cfg": fmt.Sprintf(masterConfig, home), "exports": exports, "topology": "", "metadata.mfs": string(empty),
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	args := l.enter(0, "mfsmaster", "-c", filepath.Join(home, "mfsmaster.cfg"), "start")
	_, err = run(ctx, args[0], args[1:]...)
	return err
}

func (moosefs) home(l *Lab, h Host) string { return filepath.Join(l.Dir(h), "moosefs") }

// makeServer writes the configuration of a chunk server.
func (s moosefs) makeServer(l *Lab, h Host) error {
	home := s.home(l, h)
	for _, d := range []string{"data", "disk"} {
		if err := os.MkdirAll(filepath.Join(home, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(home, "disks"), []byte(filepath.Join(home, "disk")+"\n"), 0o600); err != nil {
		return err
	}
	config := fmt.Sprintf(chunkConfig, home, hubAddress, l.storeAddress(h))
	return os.WriteFile(filepath.Join(home, "server.cfg"), []byte(config), 0o600)
}

func (s moosefs) startServer(ctx context.Context, l *Lab, h Host) error {
	args := l.enter(h, "mfschunkserver", "-c", filepath.Join(s.home(l, h), "server.cfg"), "start")
	_, err := run(ctx, args[0], args[1:]...)
	return err
}

func (moosefs) killServer(ctx context.Context, l *Lab, h Host) error {
	return killNamed(ctx, l, h, "mfschunkserver")
}

func (moosefs) startMount(ctx context.Context, l *Lab, h Host) error {
	point := mountPoint(l, h)
	if err := os.MkdirAll(point, 0o755); err != nil {
		return err
	}
	args := l.enter(h, "mfsmount", point, "-H", hubAddress, "-o", "mfsattrcacheto=0,mfsentrycacheto=0,mfsdirentrycacheto=0,mfsioretries=30")
	// The servers report their space with a delay.
	err := await(ctx, "mfsmount", func() error {
		_, err := run(ctx, args[0], args[1:]...)
		return err
	})
	if err != nil {
		return err
	}
	return awaitMount(ctx, point)
}

// copies has every chunk kept on all servers, once they are all there.
func (s moosefs) copies(ctx context.Context, l *Lab) error {
	if err := s.awaitServers(ctx, l); err != nil {
		return err
	}
	args := l.enter(1, "mfssetgoal", fmt.Sprint(l.n), mountPoint(l, 1))
	if _, err := run(ctx, args[0], args[1:]...); err != nil {
		return err
	}
	return s.awaitWritable(ctx, l, 1)
}

// awaitServers waits until the master knows all servers as connected.
func (moosefs) awaitServers(ctx context.Context, l *Lab) error {
	return await(ctx, "chunk servers", func() error {
		args := l.enter(0, "mfscli", "-H", hubAddress, "-SCS", "-p")
		out, err := run(ctx, args[0], args[1:]...)
		if err != nil {
			return err
		}
		for _, h := range l.Hosts() {
			if !strings.Contains(out, l.storeAddress(h)) {
				return fmt.Errorf("%s is missing in:\n%s", l.storeAddress(h), out)
			}
		}
		return nil
	})
}

// whole looks for the servers and writes through every mount. Chunks that miss a copy are not waited for: the goal is more copies than
// drills take away.
func (s moosefs) whole(ctx context.Context, l *Lab) error {
	if err := s.awaitServers(ctx, l); err != nil {
		return err
	}
	for _, h := range l.Hosts() {
		if err := s.awaitWritable(ctx, l, h); err != nil {
			return err
		}
	}
	return nil
}

// awaitWritable waits until a host can write a file: a new server takes no chunks for its first moments.
func (moosefs) awaitWritable(ctx context.Context, l *Lab, h Host) error {
	probe := filepath.Join(mountPoint(l, h), fmt.Sprintf(".probe%d", h))
	return await(ctx, fmt.Sprintf("a write through mount %d", h), func() error {
		if err := os.WriteFile(probe, []byte("probe"), 0o600); err != nil {
			return err
		}
		return os.Remove(probe)
	})
}
