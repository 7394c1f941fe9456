package config

import (
	"fmt"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/storage"
)

// Log is the configuration log on a storage. Safe for concurrent use, by any number of processes.
type Log struct {
	fs   storage.FS
	root layout.Root
}

// Open returns the log of the cluster at root, whose directories exist.
func Open(fsys storage.FS, root layout.Root) *Log { return &Log{fsys, root} }

// Newest returns the version in force: the highest there is. NotFound if none was published yet, or if none is seen: before
// taking that for a new cluster, publish version 1 and see whether it wins.
func (l *Log) Newest() (Config, error) {
	versions, err := layout.ListConfig(l.fs, l.root)
	if err != nil {
		return Config{}, err
	}
	var newest Config
	if n := len(versions); n > 0 {
		if newest, err = l.Read(versions[n-1]); err != nil {
			return Config{}, err
		}
	}
	for { // the listing may be old; numbers have no gaps
		next, err := l.Read(newest.Version + 1)
		if holdfast.Is(err, holdfast.NotFound) {
			break
		}
		if err != nil {
			return Config{}, err
		}
		newest = next
	}
	if newest.Version == 0 {
		return Config{}, holdfast.E("read configuration", holdfast.NotFound, nil)
	}
	return newest, nil
}

// Read returns one version.
func (l *Log) Read(version uint64) (Config, error) {
	b, err := storage.ReadFile(l.fs, l.fs.PathJoin(l.root.Config(), layout.ConfigName(version)), MaxBytes)
	if err != nil {
		return Config{}, err
	}
	c, err := Parse(b)
	if err == nil && c.Version != version {
		err = holdfast.E("read configuration", holdfast.Corrupt, fmt.Errorf("file %d holds version %d", version, c.Version))
	}
	return c, err
}

// Publish makes c the version after base and returns it as published. c was made from version base (0 for the
// first). Errors: Conflict if there is such a version already: read the newest, change that, try again. Invalid if c makes no
// sense. Unknown if the mount failed: the version may or may not come to be; Newest tells, by the nonce, once it answers.
func (l *Log) Publish(base uint64, c Config) (Config, error) {
	c = c.Clone()
	c.Format, c.Version, c.Nonce = format, base+1, storage.NewNonce().String()
	if err := c.Validate(); err != nil {
		return Config{}, holdfast.E("publish configuration", holdfast.Invalid, err)
	}
	b, err := c.Encode()
	if err != nil {
		return Config{}, holdfast.E("publish configuration", holdfast.Invalid, err)
	}
	if len(b) > MaxBytes {
		return Config{}, holdfast.E("publish configuration", holdfast.TooLarge, nil)
	}
	if base > 0 {
		if _, err := l.Read(base); err != nil { // else numbers would get a gap
			return Config{}, err
		}
	}
	won, _, err := storage.CreateExclusive(l.fs, l.root.Config(), layout.ConfigName(c.Version), b)
	switch won {
	case storage.Won:
		return c, nil
	case storage.Lost:
		return Config{}, holdfast.E("publish configuration", holdfast.Conflict, fmt.Errorf("version %d is there already", c.Version))
	default:
		return Config{}, err
	}
}
