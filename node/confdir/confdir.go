// Package confdir is a node's own directory on its host (-r CONFIGDIR): who the host is, where its mounts are, the last configuration it
// saw, and the secrets of the cluster.
//
//	node.json              who this host is, see [Node]
//	config.json            the last configuration seen, to start from when no mount and no other host answers
//	settings.json          settings of gateways and caches, edited by people; may be missing
//	pki/                   certificates and keys: package membership/ca
//	password               the verifier of the cluster's password: package membership/password
//	gossip-keys            keys of gossip: package membership/group
//	root-credentials.env   the root account's keys
//	cluster-key.env        master keys of encryption
//
// Secrets lie here and not on the mount. What is encrypted at rest lies on the mount; whoever gets hold of the mount, or of a backup of
// it, must not find the key beside the lock. A host gets them when it joins, by the password, and other processes with a certificate of
// the cluster may ask for them (confrpc.Service.Secrets). Every host has a copy, so they are lost only with all hosts.
//
// Its invariant: a file is there whole or not at all, and only its owner can read it.
package confdir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/storage"
)

// Default is where the directory is unless told otherwise.
const Default = "/var/lib/ostor/configuration"

// Names of files in the directory.
const (
	NodeFile        = "node.json"
	ConfigFile      = "config.json"
	SettingsFile    = "settings.json"
	PKI             = "pki"
	PasswordFile    = "password"
	GossipFile      = "gossip-keys"
	CredentialsFile = "root-credentials.env"
	ClusterKeyFile  = "cluster-key.env"
)

// Secrets are the files that every node and gateway of the cluster has the same of.
func Secrets() []string { return []string{GossipFile, CredentialsFile, ClusterKeyFile} }

const (
	format   = 1
	maxBytes = config.MaxBytes // of any file here
)

// Dir is the directory.
type Dir string

// Path returns the path of a file in it.
func (d Dir) Path(name string) string { return filepath.Join(string(d), name) }

// Node is who a host is: node.json.
type Node struct {
	Format  int                        `json:"format"`
	Cluster string                     `json:"cluster"` // as in the configuration
	Host    config.ID[holdfast.HostID] `json:"host"`
	Name    string                     `json:"name,omitempty"`
	// Address is where the node answers other nodes, IP:PORT. Gossip is on the next port.
	Address string `json:"address"`
	// Metrics is where metrics and health are; "" for port 9102 of the same IP.
	Metrics string `json:"metrics,omitempty"`
	// Storages has, by name, the directory of the cluster on each mount that this host has.
	Storages map[string]string `json:"storages"`
	// Seeds are addresses of other nodes, for a host whose copy of the configuration is too old to find any.
	Seeds []string `json:"seeds,omitempty"`
}

// metricsPort is where metrics are unless told otherwise.
const metricsPort = "9102"

// MetricsAddress returns where metrics and health are.
func (n Node) MetricsAddress() string {
	if n.Metrics != "" {
		return n.Metrics
	}
	host, _, _ := net.SplitHostPort(n.Address)
	return net.JoinHostPort(host, metricsPort)
}

// Validate returns the first thing that makes no sense, by its name in the file.
func (n Node) Validate() error {
	switch host, port, err := net.SplitHostPort(n.Address); {
	case n.Format > format:
		return holdfast.E("read node.json", holdfast.Unsupported, fmt.Errorf("format %d is newer than %d", n.Format, format))
	case n.Format != format:
		return fmt.Errorf("format: %d, want %d", n.Format, format)
	case len(n.Cluster) != 32:
		return fmt.Errorf("cluster: %q is not 32 hex digits", n.Cluster)
	case n.Host.Value == 0:
		return errors.New("host: is missing")
	case err != nil || net.ParseIP(host) == nil || port == "0" || port == "":
		return fmt.Errorf("address: %q is not IP:PORT", n.Address)
	}
	for name, path := range n.Storages {
		if name == "" || !filepath.IsAbs(path) {
			return fmt.Errorf("storages: %q: %q is not an absolute path", name, path)
		}
	}
	return nil
}

// Load reads node.json. NotFound if there is none: the host is in no cluster.
func (d Dir) Load() (Node, error) {
	var n Node
	b, err := d.Read(NodeFile)
	if err == nil {
		err = decode(b, &n)
	}
	if err == nil {
		err = n.Validate()
	}
	if err != nil {
		return Node{}, fmt.Errorf("%s: %w", d.Path(NodeFile), err)
	}
	return n, nil
}

// Save writes node.json.
func (d Dir) Save(n Node) error {
	n.Format = format
	if err := n.Validate(); err != nil {
		return err
	}
	b, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return d.Write(NodeFile, append(b, '\n'))
}

// LoadConfig reads the last configuration seen.
func (d Dir) LoadConfig() (config.Config, error) {
	b, err := d.Read(ConfigFile)
	if err != nil {
		return config.Config{}, err
	}
	c, err := config.Parse(b)
	if err != nil {
		return config.Config{}, fmt.Errorf("%s: %w", d.Path(ConfigFile), err)
	}
	return c, nil
}

// SaveConfig keeps a configuration.
func (d Dir) SaveConfig(c config.Config) error {
	b, err := c.Encode()
	if err != nil {
		return err
	}
	return d.Write(ConfigFile, b)
}

func decode(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("there is something behind the closing brace")
	}
	return nil
}

// Read reads a file. NotFound if it is not there.
func (d Dir) Read(name string) ([]byte, error) {
	f, err := os.Open(d.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &holdfast.Error{Op: "read configuration directory", Kind: holdfast.NotFound, ID: d.Path(name), Err: err}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err == nil && len(b) > maxBytes {
		err = &holdfast.Error{Op: "read configuration directory", Kind: holdfast.TooLarge, ID: d.Path(name)}
	}
	return b, err
}

// ReadSecret is Read of a file that nobody else may be able to read: Denied if others can.
func (d Dir) ReadSecret(name string) ([]byte, error) {
	return storage.ReadPrivate(d.Path(name), maxBytes)
}

// Write replaces a file, whole or not at all, readable by its owner only.
func (d Dir) Write(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(d.Path(name)), 0o700); err != nil {
		return err
	}
	return storage.ReplacePrivate(d.Path(name), content)
}
