// Package found makes clusters: the secrets of a new one, the configuration directories of its hosts, the directory on a mount, and the
// first configuration. It is what the commands of tools stand on, and tests.
//
// Its invariant: what exists is never replaced. Making a host where there is one is refused, and a mount with a cluster on it stays that
// cluster's.
package found

import (
	"fmt"
	"time"

	"holdfast"
	"holdfast/gw/keyring"
	"holdfast/membership"
	"holdfast/membership/ca"
	"holdfast/membership/config"
	"holdfast/membership/group"
	"holdfast/membership/layout"
	"holdfast/membership/password"
	"holdfast/node"
	"holdfast/node/confdir"
	"holdfast/storage"
)

// Cluster is what the hosts of a cluster share and what does not lie on the mount.
type Cluster struct {
	Name      string // 32 hex digits
	authority *ca.Authority
	files     map[string][]byte // by name in the configuration directory
}

// New makes the secrets of a new cluster. root are the root account's keys; the zero value draws some.
func New(pass []byte, root node.Credentials, now time.Time) (*Cluster, error) {
	verifier, err := password.NewVerifier(pass)
	if err != nil {
		return nil, err
	}
	if root == (node.Credentials{}) {
		root = node.NewCredentials()
	}
	credentials, err := root.Encode()
	if err != nil {
		return nil, err
	}
	c := &Cluster{Name: storage.NewNonce().String()}
	if c.authority, err = ca.NewAuthority(c.Name, now); err != nil {
		return nil, err
	}
	c.files = map[string][]byte{
		confdir.PasswordFile:    verifier.Encode(),
		confdir.GossipFile:      group.EncodeKeys([]group.Key{group.NewKey()}),
		confdir.CredentialsFile: credentials,
		confdir.ClusterKeyFile:  []byte(node.ClusterKeyHead + keyring.Generate() + "\n"),
	}
	return c, nil
}

// NewHostID draws the id of a host.
func NewHostID() holdfast.HostID { return membership.NewHostID() }

// Host writes the configuration directory of a host, which becomes a configuration service, and signs its certificate. Exists if there is
// one. The configuration is what the host starts from; the host should be in it.
func (c *Cluster) Host(dir confdir.Dir, n confdir.Node, first config.Config, now time.Time) error {
	if _, err := dir.Load(); !holdfast.Is(err, holdfast.NotFound) {
		return holdfast.E("make host", holdfast.Exists, fmt.Errorf("%s is a host's already", dir))
	}
	n.Cluster = c.Name
	for name, content := range c.files {
		if err := dir.Write(name, content); err != nil {
			return err
		}
	}
	request, err := ca.NewRequest()
	if err != nil {
		return err
	}
	grant, err := c.authority.Issue(request.PEM(), ca.Identity{Cluster: c.Name, Role: ca.RoleHost, Host: n.Host.Value}, now)
	if err != nil {
		return err
	}
	if err := request.Install(dir.Path(confdir.PKI), grant); err != nil {
		return err
	}
	if err := c.authority.Save(dir.Path(confdir.PKI)); err != nil {
		return err
	}
	if err := dir.SaveConfig(first); err != nil {
		return err
	}
	return dir.Save(n) // last: with it the host is one
}

// Storage makes the directory of a cluster on a mount. Doing it again is no error; Conflict if it is another cluster's or the store of
// a `holdfast server`.
func Storage(fsys storage.FS, root layout.Root, cluster string) error {
	if found, err := layout.ListHosts(fsys, root); err != nil || len(found) > 0 {
		b, readErr := storage.ReadFile(fsys, root.Cluster(), layout.MaxFile)
		if err != nil || readErr != nil || string(b) != string(layout.EncodeCluster(cluster)) {
			return holdfast.E("make storage", holdfast.Conflict, fmt.Errorf("%s belongs to others", root))
		}
		return nil
	}
	for _, dir := range []string{root.Config(), root.Hosts(), root.Services()} {
		if err := storage.MakeDir(fsys, dir); err != nil {
			return err
		}
	}
	b, err := storage.ReadFile(fsys, root.Cluster(), layout.MaxFile)
	switch {
	case holdfast.Is(err, holdfast.NotFound):
		return storage.ReplaceFile(fsys, root.Control(), layout.ClusterFile, layout.EncodeCluster(cluster))
	case err != nil:
		return err
	case string(b) != string(layout.EncodeCluster(cluster)):
		return holdfast.E("make storage", holdfast.Conflict, fmt.Errorf("%s belongs to another cluster", root))
	}
	return nil
}
