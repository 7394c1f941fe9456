package fsck

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"holdfast"
)

var (
	errCircle = errors.New("the path is too long: directories are linked in a circle")
	errSize   = errors.New("the content does not add up to the entry's size")
)

// names walks over all names, gathers their links and compares each link with its object.
func (c *checker) names(ctx context.Context) error {
	g := gatherer{c: c, seen: make(map[objectKey]bool)}
	w := &walk{c: c, count: &c.report, see: g.see, entry: c.sums, broken: c.broken}
	if err := w.run(ctx); err != nil {
		return err
	}
	for id := range c.pending {
		if err := c.compare(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) broken(name string, err error) {
	c.problem(Problem{Kind: BrokenName, Name: name, Detail: err.Error()})
}

// sums checks that the content of a version makes up its size.
func (c *checker) sums(h *holder, e *holdfast.Entry) {
	var size int64
	if l := e.Content.Link; !l.IsZero() {
		size = l.Size
	}
	for i := range e.Content.Parts {
		size += e.Content.Parts[i].Size
	}
	if size != e.Size && !e.Marker {
		c.broken(h.String(), errSize)
	}
}

// gatherer collects links, each once per name: the rows of a part table and the versions of a name may share objects.
type gatherer struct {
	c    *checker
	last holder
	seen map[objectKey]bool // in last
}

// maxSeen is the size from which seen is made anew instead of being cleared, which takes as long as it once was large.
const maxSeen = 64

func (g *gatherer) see(ctx context.Context, h *holder, content *holdfast.Content) error {
	if !g.last.sameName(h) {
		if g.last = *h; len(g.seen) > maxSeen {
			g.seen = make(map[objectKey]bool)
		}
		clear(g.seen)
	}
	for l := range content.Links {
		key := objectKey{l.OS, l.Object}
		if g.seen[key] {
			continue
		}
		g.seen[key] = true
		if err := g.c.link(ctx, held{l, *h}); err != nil {
			return err
		}
	}
	return nil
}

// link takes in a link of the first walk.
func (c *checker) link(ctx context.Context, l held) error {
	id := l.link.OS
	c.report.Links++
	c.links[id] = append(c.links[id], l.link.Object)
	c.pending[id] = append(c.pending[id], l)
	if len(c.pending[id]) < page {
		return nil
	}
	return c.compare(ctx, id)
}

// compare asks for the objects of the pending links to one object server.
func (c *checker) compare(ctx context.Context, id holdfast.ServiceID) error {
	links := c.pending[id]
	defer func() { c.pending[id] = links[:0] }()
	if len(links) == 0 {
		return nil
	}
	if !slices.Contains(c.known, id) {
		for i := range links {
			if err := c.suspectLink(ctx, &links[i], MissingBytes, "the volume has no such object server"); err != nil {
				return err
			}
		}
		return nil
	}
	ids := make([]holdfast.ObjectID, len(links))
	for i := range links {
		ids[i] = links[i].link.Object
	}
	infos, err := onObjects(ctx, c, id, func(s holdfast.ObjectService) ([]holdfast.ObjectInfo, error) { return s.Stat(ctx, ids) })
	if err != nil {
		return err
	}
	for i := range links {
		if kind, detail := mismatch(&links[i].link, &infos[i]); kind != "" {
			if err := c.suspectLink(ctx, &links[i], kind, detail); err != nil {
				return err
			}
		}
	}
	return nil
}

// mismatch compares a link with what its object server knows.
func mismatch(l *holdfast.Link, o *holdfast.ObjectInfo) (kind, detail string) {
	switch {
	case o.Size < 0:
		return MissingBytes, "the object is not there"
	case o.Size != l.Size:
		return WrongBytes, fmt.Sprintf("the object has %d bytes, the link says %d", o.Size, l.Size)
	case o.CRC != l.CRC:
		return WrongBytes, fmt.Sprintf("the object has checksum %08x, the link says %08x", o.CRC, l.CRC)
	case o.Home != l.Home:
		return WrongBytes, fmt.Sprintf("the object has home slot %d, the link says %d", o.Home, l.Home)
	}
	return "", ""
}

// suspectLink reports a link that leads nowhere if its name holds it still: the name may have been deleted since it was read.
func (c *checker) suspectLink(ctx context.Context, l *held, kind, detail string) error {
	key := objectKey{l.link.OS, l.link.Object}
	still, err := c.holds(ctx, &l.holder, key)
	if err != nil || !still {
		return err
	}
	c.problem(key.problem(kind, l.holder.String(), "%s", detail))
	return nil
}
