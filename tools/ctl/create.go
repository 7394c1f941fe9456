package ctl

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/layout"
	"holdfast/membership/password"
	"holdfast/node"
	"holdfast/node/confdir"
	"holdfast/node/found"
	"holdfast/storage"
)

// serviceName is how get-config and create call the configuration service.
const serviceName = "ostor"

// hostName is the name of this machine, "" if it has none.
func hostName() string {
	name, _ := os.Hostname() // which only people read
	return name
}

// mounts is the flag -s: [NAME=]MOUNT, which may be given several times.
type mounts struct {
	dir    string // of the cluster, on each mount
	byName map[string]string
}

// defaultStorage is the name of a storage that was given none.
const defaultStorage = "stor1"

// String implements [flag.Value].
func (m *mounts) String() string { return fmt.Sprint(m.byName) }

// Set implements [flag.Value].
func (m *mounts) Set(s string) error {
	name, mount, named := strings.Cut(s, "=")
	if !named {
		name, mount = defaultStorage, s
	}
	if name == "" || strings.ContainsAny(name, "/ ") || !filepath.IsAbs(mount) {
		return errors.New("is not [NAME=]MOUNT with an absolute path")
	}
	if _, twice := m.byName[name]; twice {
		return fmt.Errorf("storage %s is there twice", name)
	}
	if m.byName == nil {
		m.byName = make(map[string]string)
	}
	m.byName[name] = mount
	return nil
}

// flags declares -s and --dir.
func (m *mounts) flags(f *flag.FlagSet) {
	f.Var(m, "s", "`[NAME=]MOUNT`: where this host has a storage mounted (NAME is stor1 unless given); may be repeated")
	f.StringVar(&m.dir, "dir", "holdfast", "`directory` of the cluster on the mount")
}

// paths returns the directory of the cluster on each mount, which must be there.
func (m *mounts) paths() (map[string]string, error) {
	if m.dir == "" || m.dir != filepath.Base(m.dir) || m.dir == "." || m.dir == ".." {
		return nil, fmt.Errorf("--dir: %q is not the name of a directory", m.dir)
	}
	out := map[string]string{}
	for name, mount := range m.byName {
		if info, err := os.Stat(mount); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("-s: %s is not a directory", mount)
		}
		out[name] = filepath.Join(mount, m.dir)
	}
	return out, nil
}

// existing is paths of mounts that are storages of the cluster already.
func (m *mounts) existing() (map[string]string, error) {
	paths, err := m.paths()
	if err != nil {
		return nil, err
	}
	for name, path := range paths {
		if _, err := os.Stat(layout.Root(path).Cluster()); err != nil {
			return nil, fmt.Errorf("-s: %s is not a storage of a cluster (storage %s): init-storage first", path, name)
		}
	}
	return paths, nil
}

// create makes the secrets of a cluster and this host's directory.
func (c *command) create(f *flag.FlagSet) func(context.Context) error {
	ip := f.String("n", "", "`IP[:PORT]` at which this host answers others; port 2530")
	name := f.String("hostname", hostName(), "`name` of this host, for people")
	c.passwordFlag(f)
	return func(context.Context) error {
		at, err := address("-n", *ip, nodePort)
		if err != nil {
			return err
		}
		n, err := c.createHost(at, *name)
		if err != nil {
			return err
		}
		return c.say(hostAnswer{Cluster: n.Cluster, Host: n.Host.Value.String(), Address: n.Address},
			"Configuration service '%s' of cluster %s is made in %s; host %s at %s\n", serviceName, n.Cluster, c.dir, n.Host.Value, n.Address)
	}
}

// hostAnswer is the answer about a host, as JSON.
type hostAnswer struct {
	Cluster string `json:"cluster"`
	Host    string `json:"host_id"`
	Address string `json:"address"`
}

func (c *command) createHost(at, name string) (confdir.Node, error) {
	if _, err := c.dir.Load(); !holdfast.Is(err, holdfast.NotFound) {
		return confdir.Node{}, fmt.Errorf("-r: %s is a host's already", c.dir)
	}
	pass, err := c.password(true)
	if err != nil {
		return confdir.Node{}, err
	}
	cluster, err := found.New(pass, node.Credentials{}, c.Now())
	if err != nil {
		return confdir.Node{}, err
	}
	n := confdir.Node{Cluster: cluster.Name, Host: config.IDOf(found.NewHostID()), Name: name, Address: at, Storages: map[string]string{}}
	first := config.New(cluster.Name).WithHost(config.Host{ID: n.Host, Name: name, Address: at})
	return n, cluster.Host(c.dir, n, first, c.Now())
}

// initStorage makes the directory of the cluster on a mount and tells the cluster.
func (c *command) initStorage(f *flag.FlagSet) func(context.Context) error {
	ip := f.String("n", "", "`IP[:PORT]` of a configuration service; this host unless given")
	lease := f.Duration("lease", 0, "lease `time` T of this storage, as `holdfast ctl probe` proposes it (default 15s)")
	var m mounts
	m.flags(f)
	c.passwordFlag(f)
	return func(ctx context.Context) error {
		if len(m.byName) != 1 {
			return errors.New("-s: give one storage")
		}
		paths, err := m.paths()
		if err != nil {
			return err
		}
		if err := c.checkPassword(); err != nil {
			return err
		}
		for name, path := range paths {
			s := config.Storage{Name: name, Dir: m.dir, LeaseMS: int(lease.Milliseconds())}
			if err := c.makeStorage(ctx, *ip, s, path); err != nil {
				return err
			}
			err = c.say(storageAnswer{name, path}, "Storage %s is made in %s\n", name, path)
		}
		return err
	}
}

// storageAnswer is the answer about a storage, as JSON.
type storageAnswer struct {
	Storage   string `json:"storage"`
	Directory string `json:"directory"`
}

// makeStorage makes a storage. The first one gets the configuration log, whose first version has what create noted.
func (c *command) makeStorage(ctx context.Context, ip string, s config.Storage, path string) error {
	me, err := c.dir.Load()
	if err != nil {
		return fmt.Errorf("-r: %w", err)
	}
	draft, isDraft, err := c.draft()
	if err != nil {
		return err
	}
	if err := found.Storage(c.FS, layout.Root(path), me.Cluster); err != nil {
		return fmt.Errorf("-s: %w", err)
	}
	// A storage of this name that was made before stays as it is.
	edit := func(now config.Config) (config.Config, error) {
		if old, there := now.Storage(s.Name); !there {
			now = now.WithStorage(s)
		} else if old.Dir != s.Dir {
			return now, fmt.Errorf("-s: storage %s is in directory %s already", s.Name, old.Dir)
		}
		host, _ := now.Host(me.Host.Value)
		host.ID, host.Name, host.Address = me.Host, me.Name, me.Address
		if !slices.Contains(host.Storages, s.Name) {
			host.Storages = append(host.Storages, s.Name)
		}
		return now.WithHost(host), nil
	}
	var now config.Config
	if isDraft {
		if now, err = c.firstVersion(layout.Root(path), draft, edit); err == nil {
			err = storage.ReplaceFile(c.FS, layout.Root(path).Control(), layout.NameFile, layout.EncodeName([]string{me.Address}))
		}
	} else {
		now, err = c.changeAt(ctx, ip, edit)
	}
	if err != nil {
		return err
	}
	if me.Storages == nil {
		me.Storages = map[string]string{}
	}
	me.Storages[s.Name] = path
	return errors.Join(c.dir.SaveConfig(now), c.dir.Save(me))
}

// firstVersion publishes the first version, or goes on from the one that an earlier attempt published.
func (c *command) firstVersion(root layout.Root, draft config.Config, edit func(config.Config) (config.Config, error)) (config.Config, error) {
	log := config.Open(c.FS, root)
	first, err := edit(draft)
	if err != nil {
		return first, err
	}
	published, err := log.Publish(0, first)
	if holdfast.Is(err, holdfast.Conflict) {
		return log.Newest()
	}
	return published, err
}

// draft returns the configuration of a cluster that has no storage yet.
func (c *command) draft() (config.Config, bool, error) {
	b, err := c.dir.Read(confdir.ConfigFile)
	if err != nil {
		return config.Config{}, false, err
	}
	d, err := config.ParseDraft(b)
	return d, d.Version == 0, err
}

// changeAt is a change through the node at an address.
func (c *command) changeAt(ctx context.Context, ip string, edit func(config.Config) (config.Config, error)) (config.Config, error) {
	at := ""
	if ip != "" {
		var err error
		if at, err = address("-n", ip, nodePort); err != nil {
			return config.Config{}, err
		}
	}
	cl, err := c.open(ctx, at)
	if err != nil {
		return config.Config{}, err
	}
	defer cl.close()
	return cl.change(ctx, edit)
}

// checkPassword asks for the password and holds it against the verifier of this host, by the same proof that a new host gives.
func (c *command) checkPassword() error {
	text, err := c.dir.ReadSecret(confdir.PasswordFile)
	if err != nil {
		return fmt.Errorf("-r: this host is no configuration service: %w", err)
	}
	verifier, err := password.ParseVerifier(text)
	if err != nil {
		return err
	}
	pass, err := c.password(false)
	if err != nil {
		return err
	}
	const within = "holdfast ctl" // both ends are this process, so there is no channel to bind the proof to
	attempt, hello := password.Begin(pass, []byte(within))
	question, challenge, err := password.NewDoor(verifier, password.NewLimiter(c.Now)).Ask(within, []byte(within), hello)
	if err != nil {
		return err
	}
	answer, err := attempt.Answer(challenge)
	if err != nil {
		return err
	}
	if _, err = question.Check(answer); err != nil {
		return fmt.Errorf("password: %w", err)
	}
	return nil
}

// join makes this host one more configuration service.
func (c *command) join(f *flag.FlagSet) func(context.Context) error {
	remote := f.String("n", "", "`IP[:PORT]` of a configuration service that runs")
	local := f.String("a", "", "`IP[:PORT]` at which this host answers others; port 2530")
	name := f.String("hostname", hostName(), "`name` of this host, for people")
	var m mounts
	m.flags(f)
	c.passwordFlag(f)
	return func(ctx context.Context) error {
		n, err := c.joinHost(ctx, found.Joining{Service: true}, *remote, *local, *name, &m)
		if err != nil {
			return err
		}
		return c.joined(n)
	}
}

func (c *command) joinHost(ctx context.Context, j found.Joining, remote, local, name string, m *mounts) (confdir.Node, error) {
	if _, err := c.dir.Load(); !holdfast.Is(err, holdfast.NotFound) {
		return confdir.Node{}, fmt.Errorf("-r: %s is a host's already", c.dir)
	}
	var err error
	if j.Server, err = address("-n", remote, nodePort); err != nil {
		return confdir.Node{}, err
	}
	if local == "" {
		if local, err = routeTo(j.Server); err != nil {
			return confdir.Node{}, err
		}
	}
	j.Node = confdir.Node{Name: name}
	if j.Node.Address, err = address("address of this host", local, nodePort); err != nil {
		return confdir.Node{}, err
	}
	if j.Node.Storages, err = m.existing(); err != nil {
		return confdir.Node{}, err
	}
	if j.Password, err = c.password(false); err != nil {
		return confdir.Node{}, err
	}
	if _, err := found.Join(ctx, c.dir, j); err != nil {
		return confdir.Node{}, err
	}
	return c.dir.Load()
}

// routeTo returns the address of this host by which it reaches another.
func routeTo(remote string) (string, error) {
	conn, err := net.Dial("udp", remote) // which sends nothing
	if err != nil {
		return "", err
	}
	defer conn.Close()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	return host, err
}

// roles of hosts: OBJ runs services of object storage.
const roleObject = "OBJ"

// addHost makes this host one of the cluster, or notes the name of one that is.
func (c *command) addHost(f *flag.FlagSet) func(context.Context) error {
	remote := f.String("n", "", "`IP[:PORT]` of a configuration service that runs")
	local := f.String("H", "", "internal `IP[:PORT]` at which this host answers others; port 2530")
	roles := f.String("roles", "", "`OBJ`: the host runs services of object storage; without it, it is only known")
	gateway := f.Bool("no-mount", false, "the host has no mount and runs gateways alone")
	name := f.String("hostname", hostName(), "`name` of this host, for people")
	var m mounts
	m.flags(f)
	c.passwordFlag(f)
	return func(ctx context.Context) error {
		switch {
		case *roles != "" && *roles != roleObject:
			return fmt.Errorf("--roles: %q is not %s", *roles, roleObject)
		case *gateway && len(m.byName) > 0:
			return errors.New("--no-mount, -s: only one of them")
		}
		if _, err := c.dir.Load(); err == nil {
			return c.nameHost(ctx, *name)
		}
		n, err := c.joinHost(ctx, found.Joining{Gateway: *gateway}, *remote, *local, *name, &m)
		if err != nil {
			return err
		}
		return c.joined(n)
	}
}

func (c *command) joined(n confdir.Node) error {
	return c.say(hostAnswer{Cluster: n.Cluster, Host: n.Host.Value.String(), Address: n.Address},
		"Host %s joined cluster %s at %s\n", n.Host.Value, n.Cluster, n.Address)
}

// nameHost gives this host, which is in the cluster, its name.
func (c *command) nameHost(ctx context.Context, name string) error {
	var id holdfast.HostID
	_, err := c.changing(ctx, func(me confdir.Node, now config.Config) (config.Config, error) {
		id = me.Host.Value
		h, ok := now.Host(id)
		if !ok {
			h = config.Host{ID: me.Host, Address: me.Address}
			for storage := range me.Storages {
				h.Storages = append(h.Storages, storage)
			}
		}
		h.Name = name
		return now.WithHost(h), nil
	})
	if err != nil {
		return err
	}
	return c.say(hostAnswer{Host: id.String()}, "Host %s is %s\n", id, name)
}
