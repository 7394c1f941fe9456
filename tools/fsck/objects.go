package fsck

import (
	"context"
	"hash/crc32"
	"slices"

	"holdfast"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// objects compares the objects of a server with the links to them. Links were compared with their objects already, so one that
// is met no more belongs to an object that was freed since.
func (c *checker) objects(ctx context.Context, id holdfast.ServiceID) error {
	links := c.links[id]
	delete(c.links, id) // the memory can go when this server is done
	slices.SortFunc(links, compareIDs)
	c.suspectShared(id, links)
	links = slices.Compact(links)
	var after holdfast.ObjectID
	for {
		found, err := onObjects(ctx, c, id, func(s holdfast.ObjectService) ([]holdfast.ObjectInfo, error) {
			return s.Objects(ctx, after, page)
		})
		if err != nil {
			return err
		}
		var unlinked []holdfast.ObjectInfo
		newer := true // than the check, all of them
		for _, o := range found {
			after = o.Object
			c.report.Objects++
			c.report.Bytes += o.Size
			newer = newer && o.Created.After(c.begun)
			var linked bool
			if links, linked = advance(links, o.Object); !linked {
				unlinked = append(unlinked, o)
			} else if err := c.deep(ctx, id, o); err != nil {
				return err
			}
		}
		if err := c.unlinked(ctx, id, unlinked); err != nil {
			return err
		}
		c.step()
		if len(found) < page || (newer && len(links) == 0) { // else a busy writer could be followed for ever
			return nil
		}
	}
}

// advance goes through the links up to an object.
func advance(links []holdfast.ObjectID, o holdfast.ObjectID) (rest []holdfast.ObjectID, linked bool) {
	for len(links) > 0 && links[0].Less(o) {
		links = links[1:]
	}
	if len(links) > 0 && links[0] == o {
		return links[1:], true
	}
	return links, false
}

// suspectShared looks for objects that are linked twice; ids are in order.
func (c *checker) suspectShared(id holdfast.ServiceID, ids []holdfast.ObjectID) {
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			c.suspect(objectKey{id, ids[i]}, func(s *suspect) { s.shared = true })
		}
	}
}

// deep reads an object and verifies its bytes, here too: against what its server knows, which is what the link says.
func (c *checker) deep(ctx context.Context, id holdfast.ServiceID, o holdfast.ObjectInfo) error {
	if !c.opts.Deep {
		return nil
	}
	sum, err := onObjects(ctx, c, id, func(s holdfast.ObjectService) (uint32, error) {
		h := crc32.New(castagnoli)
		_, err := s.Read(ctx, holdfast.ReadRequest{Object: o.Object, Length: o.Size}, h)
		return h.Sum32(), err
	})
	detail := ""
	switch {
	case holdfast.Is(err, holdfast.NotFound): // freed since
		return nil
	case holdfast.Is(err, holdfast.Corrupt):
		detail = err.Error()
	case err != nil:
		return err
	case sum != o.CRC:
		detail = "the bytes read have another checksum than the object"
	default:
		return nil
	}
	c.suspect(objectKey{id, o.Object}, func(s *suspect) { s.rotten = detail })
	return nil
}

// unlinked looks at objects that no name was seen to link to. Young ones may be about to be committed, or were committed
// behind the walk; of the others their home slots tell.
func (c *checker) unlinked(ctx context.Context, id holdfast.ServiceID, objects []holdfast.ObjectInfo) error {
	guarded := c.begun.Add(-holdfast.GuardPeriod)
	var old []holdfast.ObjectInfo
	for _, o := range objects {
		if o.Created.Before(guarded) {
			old = append(old, o)
		} else {
			c.report.Waiting++
		}
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
		c.suspect(objectKey{id, o.Object}, func(s *suspect) { s.lost, s.info = true, o })
	}
	if !c.opts.Repair || len(doomed) == 0 {
		return nil
	}
	_, err = onObjects(ctx, c, id, func(s holdfast.ObjectService) (struct{}, error) {
		return struct{}{}, s.Free(ctx, doomed) // R5: their fate is durable
	})
	if err == nil {
		c.report.Freed += int64(len(doomed))
	}
	return err
}

// fates asks the home slots of objects, at most a page of them. Asking dooms what nobody committed, which is what their
// object server would have done by now.
func (c *checker) fates(ctx context.Context, id holdfast.ServiceID, objects []holdfast.ObjectInfo) ([]holdfast.Fate, error) {
	fates := make([]holdfast.Fate, len(objects))
	homes := make(map[holdfast.ServiceID][]int)
	for i, o := range objects {
		owner := c.services.SlotMap()[o.Home%holdfast.Slots]
		homes[owner] = append(homes[owner], i)
	}
	for owner, members := range homes {
		asked := make([]holdfast.GuardedObject, len(members))
		for i, m := range members {
			asked[i] = holdfast.GuardedObject{Object: objects[m].Object, Home: objects[m].Home}
		}
		got, err := onNames(ctx, c, owner, func(s holdfast.NameService) ([]holdfast.Fate, error) { return s.Settle(ctx, id, asked) })
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
