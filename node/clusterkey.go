package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"holdfast/gw/keyring"
)

// ClusterKeyFile is the name of the file in the data directory that holds the cluster's master keys.
const ClusterKeyFile = "cluster-key.env"

// ClusterKeyHead begins a key file. Who opens it should know what depends on it.
const ClusterKeyHead = `# Master keys of this store: encrypted objects and the secrets of users cannot be read without them.
# Keep this file secret, and keep a copy of it somewhere else. To rotate, add a line: the last key seals, all of them open.
`

// LoadOrCreateClusterKeys reads the cluster's master keys from the data directory. Keys in the environment (getenv) come on top, the last
// of them is current, and are never written. If there are keys in neither place, one is made at random and written durably with mode
// 0600 before it is returned: nothing is sealed under a key that a loss of power could take.
func LoadOrCreateClusterKeys(dir string, getenv func(string) string) (*keyring.Ring, error) {
	name := filepath.Join(dir, ClusterKeyFile)
	given := getenv(keyring.Variable)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
		if given == "" {
			text = []byte(ClusterKeyHead + keyring.Generate() + "\n")
			err = publishSecret(name, string(text))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cluster keys: %w", err)
	}
	var ring *keyring.Ring
	if text != nil {
		if ring, err = keyring.Parse(text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if given == "" {
		return ring, nil
	}
	if ring, err = ring.With(given); err != nil {
		return nil, fmt.Errorf("%s in the environment: %w", keyring.Variable, err)
	}
	return ring, nil
}
