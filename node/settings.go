package node

import (
	"fmt"
	"log/slog"

	"holdfast"
	"holdfast/gw/keyring"
	"holdfast/node/confdir"
)

// PeerSettings completes the settings of a node from the file in its configuration directory, and with defaults.
func PeerSettings(dir confdir.Dir, above Config) (Config, error) {
	c := above
	if _, err := dir.Read(confdir.SettingsFile); !holdfast.Is(err, holdfast.NotFound) {
		file, err := Config{}.LoadFile(dir.Path(confdir.SettingsFile))
		if err != nil {
			return c, err
		}
		c = file.Over(above)
	}
	c.Data = string(dir)
	c = c.WithDefaults()
	return c, c.Validate()
}

// readCredentials reads the root credentials, which a node has from the one that made the cluster.
func readCredentials(dir confdir.Dir) (Credentials, error) {
	text, err := dir.ReadSecret(confdir.CredentialsFile)
	if err != nil {
		return Credentials{}, err
	}
	return parseCredentials(dir.Path(confdir.CredentialsFile), text)
}

// readClusterKeys reads the cluster's master keys; keys of the environment come on top.
func readClusterKeys(dir confdir.Dir, getenv func(string) string) (*keyring.Ring, error) {
	text, err := dir.ReadSecret(confdir.ClusterKeyFile)
	if err != nil {
		return nil, err
	}
	ring, err := keyring.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir.Path(confdir.ClusterKeyFile), err)
	}
	if given := getenv(keyring.Variable); given != "" {
		return ring.With(given)
	}
	return ring, nil
}

// setLevel changes what is logged.
func setLevel(level *slog.LevelVar, r Reloadable) error {
	l, err := r.level()
	if err == nil {
		level.Set(l)
	}
	return err
}
