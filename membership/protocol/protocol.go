// Package protocol is which versions of the conversation between nodes a binary speaks, and how two of them agree on one, so that
// an old and a new binary work side by side while a cluster is upgraded host by host.
//
// A version covers all that nodes say to one another: gossip, the configuration API and the RPCs of services. Its
// invariant: both sides choose the same version or both refuse. It says nothing about formats on the mount, which carry
// numbers of their own.
package protocol

import (
	"fmt"

	"holdfast"
)

// Version is a version of the conversation. They are numbered from 1.
type Version uint16

// The versions that this binary speaks. A new binary speaks the last version of the one before it, no more is promised.
const (
	Oldest Version = 1
	Newest Version = 1
)

// Range is the versions that a binary speaks, both ends included.
type Range struct{ Min, Max Version }

// Ours returns the range of this binary.
func Ours() Range { return Range{Oldest, Newest} }

// Valid reports whether the range holds a version.
func (r Range) Valid() bool { return 1 <= r.Min && r.Min <= r.Max }

// String writes "3" or "2-3".
func (r Range) String() string {
	if r.Min == r.Max {
		return fmt.Sprint(r.Min)
	}
	return fmt.Sprintf("%d-%d", r.Min, r.Max)
}

// Choose returns the newest version that r and a peer speak. Unsupported, with which of the two to upgrade, if there is none.
func (r Range) Choose(peer Range) (Version, error) {
	switch newest := min(r.Max, peer.Max); {
	case !r.Valid() || !peer.Valid():
		return 0, refuse(r, peer, "one of them is no range of versions")
	case newest >= max(r.Min, peer.Min):
		return newest, nil
	case r.Max < peer.Min:
		return 0, refuse(r, peer, "upgrade this node")
	default:
		return 0, refuse(r, peer, "upgrade the peer")
	}
}

func refuse(r, peer Range, advice string) error {
	return holdfast.E("choose protocol version", holdfast.Unsupported, fmt.Errorf("this node speaks %v, its peer %v: %s", r, peer, advice))
}

// Common returns the newest version that all of the nodes speak: what may be relied on once nobody is behind. Unsupported if there
// is none.
func Common(nodes []Range) (Version, error) {
	all := Ours()
	for _, r := range nodes {
		if _, err := all.Choose(r); err != nil {
			return 0, err
		}
		all = Range{max(all.Min, r.Min), min(all.Max, r.Max)}
	}
	return all.Max, nil
}
