package fsck

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"holdfast"
	"holdfast/volume"
)

// Options of a check.
type Options struct {
	Deep   bool // read every object and verify its bytes
	Repair bool // free what nothing links to
	Now    func() time.Time
	// Problem is called for each finding, Progress now and then.
	Problem  func(Problem)
	Progress func(Report)
}

// Problem is one finding.
type Problem struct {
	Kind   string `json:"kind"` // one of the constants below
	Name   string `json:"name,omitempty"`
	OS     string `json:"os,omitempty"`
	Object string `json:"object,omitempty"`
	Detail string `json:"detail"`
}

// The kinds of findings.
const (
	MissingBytes = "missing-bytes" // a name links to an object that is not there
	WrongBytes   = "wrong-bytes"   // the object has another size or checksum than the link says
	RottenBytes  = "rotten-bytes"  // the object's bytes do not verify
	SharedBytes  = "shared-bytes"  // two names link to one object
	LostBytes    = "lost-bytes"    // an object is committed and no name links to it
	BrokenName   = "broken-name"   // a directory, version or upload cannot be read
)

// Report sums up a check.
type Report struct {
	Buckets     int64 `json:"buckets"`
	Directories int64 `json:"directories"`
	Versions    int64 `json:"versions"`
	Uploads     int64 `json:"uploads"`
	Links       int64 `json:"links"`
	Objects     int64 `json:"objects"`
	Bytes       int64 `json:"bytes"`
	Waiting     int64 `json:"waiting"` // given up and not freed yet, or too young to tell
	Freed       int64 `json:"freed"`   // by the repair
	Problems    int64 `json:"problems"`
}

// page is how much is asked for at a time.
const page = 1000

// checker is one run.
type checker struct {
	services volume.Services
	opts     Options
	report   Report
	links    map[holdfast.ServiceID][]holdfast.ObjectID // what names link to; 16 bytes a link
}

// Check checks the volume behind services. The report is valid also with an error, as far as the check came. Memory is 16
// bytes per link.
func Check(ctx context.Context, services volume.Services, opts Options) (Report, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &checker{services: services, opts: opts, links: make(map[holdfast.ServiceID][]holdfast.ObjectID)}
	if err := c.names(ctx); err != nil {
		return c.report, fmt.Errorf("names: %w", err)
	}
	for _, id := range c.servers() {
		if err := c.objects(ctx, id); err != nil {
			return c.report, fmt.Errorf("object server %s: %w", id, err)
		}
	}
	return c.report, nil
}

func (c *checker) problem(p Problem) {
	c.report.Problems++
	if c.opts.Problem != nil {
		c.opts.Problem(p)
	}
}

func (c *checker) progress() {
	if c.opts.Progress != nil {
		c.opts.Progress(c.report)
	}
}

// servers returns the object servers, those that only links know of too.
func (c *checker) servers() []holdfast.ServiceID {
	ids := slices.Clone(c.services.ObjectServers())
	for id := range c.links {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// objects compares the objects of a server with the links to them.
func (c *checker) objects(ctx context.Context, id holdfast.ServiceID) error {
	server, err := c.services.ObjectServer(ctx, id)
	if err != nil {
		return err
	}
	links := c.links[id]
	slices.SortFunc(links, compareIDs)
	links = c.dropShared(id, links)
	var after holdfast.ObjectID
	for {
		found, err := server.Objects(ctx, after, page)
		if err != nil {
			return err
		}
		var unlinked []holdfast.ObjectInfo
		for _, o := range found {
			after = o.Object
			c.report.Objects++
			c.report.Bytes += o.Size
			var linked bool
			if links, linked = c.advance(id, links, o.Object); !linked {
				unlinked = append(unlinked, o)
			}
			if linked && c.opts.Deep {
				c.read(ctx, id, server, o)
			}
		}
		if err := c.unlinked(ctx, id, server, unlinked); err != nil {
			return err
		}
		c.progress()
		if len(found) < page {
			break
		}
	}
	for _, l := range links {
		c.missing(id, l)
	}
	return nil
}

// advance goes through the links up to an object. Links before it lead nowhere.
func (c *checker) advance(id holdfast.ServiceID, links []holdfast.ObjectID, o holdfast.ObjectID) (rest []holdfast.ObjectID, linked bool) {
	for len(links) > 0 && links[0].Less(o) {
		c.missing(id, links[0])
		links = links[1:]
	}
	if len(links) > 0 && links[0] == o {
		return links[1:], true
	}
	return links, false
}

func (c *checker) missing(id holdfast.ServiceID, o holdfast.ObjectID) {
	c.problem(Problem{Kind: MissingBytes, OS: id.String(), Object: o.String(), Detail: "a name links to this object and it is not there"})
}

func (c *checker) dropShared(id holdfast.ServiceID, links []holdfast.ObjectID) []holdfast.ObjectID {
	for i := 1; i < len(links); i++ {
		if links[i] == links[i-1] {
			c.problem(Problem{Kind: SharedBytes, OS: id.String(), Object: links[i].String(), Detail: "more than one name links to this object"})
		}
	}
	return slices.Compact(links)
}

// read verifies the bytes of an object.
func (c *checker) read(ctx context.Context, id holdfast.ServiceID, server holdfast.ObjectService, o holdfast.ObjectInfo) {
	_, err := server.Read(ctx, holdfast.ReadRequest{Object: o.Object, Length: o.Size}, io.Discard)
	if err != nil {
		c.problem(Problem{Kind: RottenBytes, OS: id.String(), Object: o.Object.String(), Detail: err.Error()})
	}
}

// unlinked looks at objects that no name links to. Young ones may be about to be committed; the others are told of by
// their home slots.
func (c *checker) unlinked(ctx context.Context, id holdfast.ServiceID, server holdfast.ObjectService, objects []holdfast.ObjectInfo) error {
	young := c.opts.Now().Add(-holdfast.GuardPeriod)
	var old []holdfast.ObjectInfo
	for _, o := range objects {
		if o.Created.After(young) && !o.Settled {
			c.report.Waiting++
			continue
		}
		old = append(old, o)
	}
	fates, err := c.fates(ctx, id, old)
	if err != nil {
		return err
	}
	var doomed []holdfast.ObjectID
	for i, o := range old {
		if fates[i] == holdfast.FateDoomed {
			c.report.Waiting++
			doomed = append(doomed, o.Object)
			continue
		}
		c.problem(Problem{Kind: LostBytes, OS: id.String(), Object: o.Object.String(),
			Detail: fmt.Sprintf("%d bytes are committed and no name links to them", o.Size)})
	}
	if !c.opts.Repair || len(doomed) == 0 {
		return nil
	}
	if err := server.Free(ctx, doomed); err != nil { // R5: their fate is durable
		return err
	}
	c.report.Freed += int64(len(doomed))
	return nil
}

// fates asks the home slots of objects. Asking dooms what nobody committed, which is what their object server would
// have done by now.
func (c *checker) fates(ctx context.Context, id holdfast.ServiceID, objects []holdfast.ObjectInfo) ([]holdfast.Fate, error) {
	fates := make([]holdfast.Fate, len(objects))
	homes := make(map[holdfast.ServiceID][]int)
	for i, o := range objects {
		owner := c.services.SlotMap()[o.Home]
		homes[owner] = append(homes[owner], i)
	}
	for owner, members := range homes {
		server, err := c.services.NameServer(ctx, owner)
		if err != nil {
			return nil, err
		}
		asked := make([]holdfast.GuardedObject, len(members))
		for i, m := range members {
			asked[i] = holdfast.GuardedObject{Object: objects[m].Object, Home: objects[m].Home}
		}
		got, err := server.Settle(ctx, id, asked)
		if err != nil {
			return nil, err
		}
		for i, m := range members {
			fates[m] = got[i]
		}
	}
	return fates, nil
}

func compareIDs(a, b holdfast.ObjectID) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}
