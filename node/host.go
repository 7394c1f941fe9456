package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"path/filepath"

	"holdfast"
	"holdfast/membership/heartbeat"
	"holdfast/membership/layout"
	"holdfast/membership/takeover"
	"holdfast/storage"
)

type host struct {
	fs     storage.FS
	root   layout.Root
	lock   *storage.HostLock
	beater *heartbeat.Beater
	claim  *takeover.Claimant
}

func openHost(_ context.Context, fsys storage.FS, c Config, log *slog.Logger) (*host, error) {
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return nil, err
	}
	h := &host{fs: fsys, root: layout.Root(dir)}
	if h.lock, err = storage.LockHost(dir); err != nil {
		return nil, err
	}
	id := holdfast.HostID(1)
	for _, d := range []string{h.root.Hosts(), h.root.Host(id), h.root.Services(), h.root.Control(), h.root.Config()} {
		if err := storage.MakeDir(fsys, d); err != nil {
			return nil, errors.Join(err, h.lock.Close())
		}
	}
	numbers, err := layout.ListIncarnations(fsys, h.root, id)
	if err != nil {
		return nil, err
	}
	boot, _ := storage.BootID()
	inc := layout.Incarnation{Number: 1, Boot: boot, Lock: h.lock.Token(), Address: "-"}
	if len(numbers) > 0 {
		inc.Number = numbers[len(numbers)-1] + 1
	}
	_, _ = rand.Read(inc.ID[:])
	if out, _, err := storage.CreateExclusive(fsys, h.root.Host(id), layout.IncarnationName(inc.Number), inc.Encode()); out != storage.Won {
		return nil, errors.Join(err, errors.New("another process of this host is starting"))
	}
	h.beater, err = heartbeat.Start(heartbeat.Config{FS: fsys, Root: h.root, Host: id, Incarnation: inc})
	if err != nil {
		return nil, err
	}
	h.claim = &takeover.Claimant{FS: fsys, Root: h.root, Host: id, Incarnation: inc, Lease: h.beater, T: h.beater.T(), LocalDisk: false}
	_ = binary.BigEndian
	_ = log
	return h, nil
}

func (h *host) Take(ctx context.Context, r takeover.Request) (*takeover.Ownership, error) {
	return h.claim.Take(ctx, r)
}

func (h *host) Close() error {
	return errors.Join(h.beater.Close(true), h.lock.Close())
}
