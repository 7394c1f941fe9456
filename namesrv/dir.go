package namesrv

import (
	"math"

	"holdfast"
	"holdfast/namesrv/schema"
)

// makeDir creates an empty directory and, unless it is the root of the volume, the intent that finds it if it stays unlinked.
func (g *group) makeDir(op *holdfast.MakeDir) error {
	if err := checkDirName(op.Name); err != nil {
		return err
	}
	if op.Root.IsZero() || (op.Bucket != nil) != (op.Root == op.Dir) {
		return invalid("a directory needs its bucket's root, and a root the bucket's record")
	}
	d, err := g.dir(op.Dir)
	if err != nil {
		return err
	}
	if d.exists {
		if d.Sealed {
			return dirGone(op.Dir)
		}
		return nil
	}
	g.edit(d)
	d.exists = true
	d.Dir = schema.Dir{Root: op.Root, Parent: op.Parent, Name: op.Name}
	if op.Bucket != nil {
		info := *op.Bucket
		info.Root = op.Dir
		info.Epoch = max(info.Epoch, 1)
		if info.Created.IsZero() {
			info.Created = g.now
		}
		g.setBucketInfo(d, &info)
		g.change(holdfast.ChangeBucket, d, "", nil)
	}
	g.addIntent(d, holdfast.IntentLinkDir)
	return nil
}

// setBucketInfo writes the record of a bucket; the epoch is in the root's record too, where each commit sees it.
func (g *group) setBucketInfo(d *dirState, info *holdfast.BucketInfo) {
	g.edit(d)
	d.Epoch = info.Epoch
	g.key = schema.BucketKey(g.key[:0], d.id)
	g.set(g.key, schema.AppendBucket(nil, info))
	g.epochs = append(g.epochs, epochChange{root: d.id, epoch: info.Epoch})
}

// addIntent writes the intent about a directory; it has one at a time.
func (g *group) addIntent(d *dirState, kind holdfast.IntentKind) {
	g.clearIntent(d)
	d.Intent = g.tick()
	g.state.Intents++
	in := holdfast.Intent{Kind: kind, Dir: d.id, Parent: d.Parent, Name: d.Name, At: g.now}
	g.key = schema.IntentKey(g.key[:0], holdfast.IntentID{Slot: d.id.Slot(), Seq: d.Intent})
	g.set(g.key, g.owned(schema.AppendIntent(g.own(), &in)))
}

// clearIntent removes the intent about a directory, if there is one.
func (g *group) clearIntent(d *dirState) {
	if d.Intent == 0 {
		return
	}
	g.edit(d)
	g.key = schema.IntentKey(g.key[:0], holdfast.IntentID{Slot: d.id.Slot(), Seq: d.Intent})
	g.set(g.key, nil)
	d.Intent = 0
	g.state.Intents--
}

func (g *group) dropIntent(id holdfast.IntentID) error {
	if id.Slot >= holdfast.Slots || !g.c.e.slots[id.Slot] {
		return fail(holdfast.NotOwner, "intent")
	}
	g.key = schema.IntentKey(g.key[:0], id)
	v, ok, err := g.get(g.key)
	if err != nil || !ok {
		return err
	}
	var in holdfast.Intent
	if err := schema.DecodeIntent(&in, id, v); err != nil {
		return corrupt("intent", g.key, err)
	}
	d, err := g.dir(in.Dir)
	if err != nil {
		return err
	}
	if d.exists && d.Intent == id.Seq {
		g.clearIntent(d)
		return nil
	}
	g.key = schema.IntentKey(g.key[:0], id)
	g.set(g.key, nil)
	g.state.Intents--
	return nil
}

// child returns the sub-directory linked under a name.
func (g *group) child(parent *dirState, name string) (c holdfast.DirID, ok bool, err error) {
	g.key = schema.EntryKey(g.key[:0], parent.id, name)
	v, ok, err := g.get(g.key)
	if err != nil || !ok {
		return c, false, err
	}
	if c, ok = schema.IsDir(v); !ok {
		return c, false, corrupt("sub-directory", g.key, nil)
	}
	return c, true, nil
}

// linkDir links a directory. If the child is on this server too, its intent is done with, and its hints are set.
func (g *group) linkDir(op *holdfast.LinkDir) (holdfast.Reply, error) {
	if err := checkDirName(op.Name); err != nil {
		return holdfast.Reply{}, err
	}
	if op.Child.IsZero() {
		return holdfast.Reply{}, invalid("no child")
	}
	parent, err := g.openDir(op.Parent)
	if err != nil {
		return holdfast.Reply{}, err
	}
	have, ok, err := g.child(parent, op.Name)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if ok && have != op.Child {
		if op.Exclusive {
			return holdfast.Reply{}, fail(holdfast.Exists, op.Name)
		}
		return holdfast.Reply{Dir: have}, nil
	}
	var c *dirState
	if g.c.e.holds(op.Child) {
		if c, err = g.openDir(op.Child); err != nil {
			return holdfast.Reply{}, err
		}
	}
	if !ok {
		g.key = schema.EntryKey(g.key[:0], op.Parent, op.Name)
		g.set(g.key, g.owned(schema.AppendChild(g.own(), op.Child)))
		g.edit(parent)
		parent.Entries++
		parent.SubDirs++
		g.change(holdfast.ChangeLink, parent, op.Name, nil)
	}
	if c != nil {
		g.clearIntent(c)
		if c.Parent != op.Parent || c.Name != op.Name {
			g.edit(c)
			c.Parent, c.Name = op.Parent, op.Name
		}
	}
	return holdfast.Reply{Dir: op.Child}, nil
}

func (g *group) unlinkDir(op *holdfast.UnlinkDir) error {
	if err := checkDirName(op.Name); err != nil {
		return err
	}
	parent, err := g.openDir(op.Parent)
	if err != nil {
		return err
	}
	have, ok, err := g.child(parent, op.Name)
	if err != nil || !ok || have != op.Child {
		return err
	}
	g.key = schema.EntryKey(g.key[:0], op.Parent, op.Name)
	g.set(g.key, nil)
	g.edit(parent)
	parent.Entries--
	parent.SubDirs--
	g.change(holdfast.ChangeUnlink, parent, op.Name, nil)
	return nil
}

// sealDir seals an empty directory. Sealing one that is sealed changes nothing.
func (g *group) sealDir(op *holdfast.SealDir) error {
	if op.Dir == holdfast.VolumeRoot {
		return invalid("the root of the volume cannot be sealed")
	}
	d, err := g.dir(op.Dir)
	if err != nil {
		return err
	}
	if !d.exists {
		return dirGone(op.Dir)
	}
	if d.Sealed {
		return nil
	}
	if d.Entries != d.Uploads || d.Uploads > 0 && !op.Doom {
		return fail(holdfast.NotEmpty, op.Dir.String())
	}
	if err := g.abortAll(d); err != nil {
		return err
	}
	g.edit(d)
	d.Sealed = true
	g.addIntent(d, holdfast.IntentUnlinkDir)
	if d.Epoch > 0 {
		g.epochs = append(g.epochs, epochChange{root: d.id, gone: true})
	}
	return nil
}

// dropDir removes what is left of a sealed directory: its record, its intent and, of a bucket, record and upload index.
func (g *group) dropDir(op *holdfast.DropDir) error {
	d, err := g.dir(op.Dir)
	if err != nil || !d.exists {
		return err
	}
	if !d.Sealed {
		return invalid("only a sealed directory can be dropped")
	}
	g.clearIntent(d)
	if d.Epoch > 0 {
		g.key = schema.BucketKey(g.key[:0], d.id)
		g.set(g.key, nil)
		g.dropShare(d.id)
		if err := g.dropIndex(d); err != nil {
			return err
		}
	}
	g.edit(d)
	d.exists = false
	d.Dir = schema.Dir{}
	return nil
}

func (g *group) dropIndex(d *dirState) error {
	prefix := append([]byte{byte(schema.KindIndex)}, d.id[:]...)
	rows, err := g.scan(prefix, math.MaxInt)
	for _, r := range rows {
		g.setScanned(r.key, nil, len(prefix))
	}
	return err
}

// setBucket changes the record of a bucket.
func (g *group) setBucket(op *holdfast.SetBucket) (holdfast.Reply, error) {
	d, err := g.openDir(op.Root)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if d.Epoch == 0 {
		return holdfast.Reply{}, fail(holdfast.NotFound, op.Root.String())
	}
	if op.Epoch != 0 && op.Epoch != d.Epoch {
		return holdfast.Reply{}, fail(holdfast.Conflict, op.Root.String())
	}
	g.key = schema.BucketKey(g.key[:0], op.Root)
	v, ok, err := g.get(g.key)
	if err != nil {
		return holdfast.Reply{}, err
	}
	var info holdfast.BucketInfo
	if err := schema.DecodeBucket(&info, op.Root, v); !ok || err != nil {
		return holdfast.Reply{}, corrupt("bucket", g.key, err)
	}
	changeBucket(&info, op)
	g.setBucketInfo(d, &info)
	g.change(holdfast.ChangeBucket, d, "", nil)
	return holdfast.Reply{Epoch: info.Epoch}, nil
}

func changeBucket(info *holdfast.BucketInfo, op *holdfast.SetBucket) {
	info.Epoch++
	if op.Owner != nil {
		info.Owner = *op.Owner
	}
	if op.Versioning != nil {
		info.Versioning = *op.Versioning
	}
	if op.ObjectLock != nil {
		info.ObjectLock = *op.ObjectLock
	}
	for name, v := range op.Settings {
		if v == nil {
			delete(info.Settings, name)
			continue
		}
		if info.Settings == nil {
			info.Settings = map[string][]byte{}
		}
		info.Settings[name] = append([]byte{}, v...)
	}
}
