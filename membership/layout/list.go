package layout

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"holdfast"
	"holdfast/storage"
)

// Listings are hints: a client may show an old one. Names that are not of the form they should be belong to somebody else
// and are passed over; a directory that is not there is empty.

// ListServices returns the services that have a directory, in the order of ids.
func ListServices(fsys storage.FS, r Root) ([]holdfast.ServiceID, error) {
	return list(fsys, r.Services(), func(name string) (holdfast.ServiceID, bool) {
		id, err := holdfast.ParseServiceID(name)
		return id, err == nil && id.String() == name
	})
}

// ListHosts returns the hosts that have a directory, in the order of ids.
func ListHosts(fsys storage.FS, r Root) ([]holdfast.HostID, error) {
	return list(fsys, r.Hosts(), func(name string) (holdfast.HostID, bool) {
		id, err := holdfast.ParseHostID(name)
		return id, err == nil && id.String() == name
	})
}

// ListIncarnations returns the numbers of a host's incarnations, ascending.
func ListIncarnations(fsys storage.FS, r Root, id holdfast.HostID) ([]uint64, error) {
	return list(fsys, r.Host(id), parseNumber)
}

// ListConfig returns the versions of the configuration, ascending.
func ListConfig(fsys storage.FS, r Root) ([]uint64, error) {
	return list(fsys, r.Config(), func(name string) (uint64, bool) {
		digits, ok := strings.CutSuffix(name, configSuffix)
		n, good := parseNumber(digits)
		return n, ok && good
	})
}

// ListClaims returns the claimed epochs of a service, ascending.
func ListClaims(fsys storage.FS, s Service) ([]holdfast.Epoch, error) {
	return list(fsys, s.Claims(), func(name string) (holdfast.Epoch, bool) {
		n, ok := parseNumber(name)
		return holdfast.Epoch(n), ok
	})
}

// ListStores returns the epochs of a service that have a store directory, ascending.
func ListStores(fsys storage.FS, s Service) ([]holdfast.Epoch, error) {
	return list(fsys, string(s), func(name string) (holdfast.Epoch, bool) {
		digits, ok := strings.CutPrefix(name, "e")
		n, good := parseNumber(digits)
		return holdfast.Epoch(n), ok && good
	})
}

// ListPools returns the names of a service's pool files by the epoch that made them.
func ListPools(fsys storage.FS, s Service) (map[holdfast.Epoch][]string, error) {
	names, err := list(fsys, s.Pools(), func(name string) (string, bool) { return name, true })
	if err != nil {
		return nil, err
	}
	pools := map[holdfast.Epoch][]string{}
	for _, name := range names {
		if e, ok := PoolEpoch(name); ok {
			pools[e] = append(pools[e], name)
		}
	}
	return pools, nil
}

// PoolEpoch returns the epoch in the name of a pool file, which is what follows its last dot.
func PoolEpoch(name string) (holdfast.Epoch, bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 {
		return 0, false
	}
	n, ok := parseNumber(name[dot+1:])
	return holdfast.Epoch(n), ok
}

func list[T interface{ ~uint64 | ~string }](fsys storage.FS, dir string, parse func(string) (T, bool)) ([]T, error) {
	names, err := fsys.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []T
	for _, name := range names {
		if v, ok := parse(name); ok {
			found = append(found, v)
		}
	}
	slices.Sort(found)
	return found, nil
}
