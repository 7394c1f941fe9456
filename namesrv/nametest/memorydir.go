package nametest

import (
	"maps"
	"strings"

	"holdfast"
)

func checkDirName(name string) error {
	if len(name) > holdfast.MaxName {
		return fail(holdfast.TooLarge)
	}
	if name == "" || strings.Index(name, "/") != len(name)-1 {
		return fail(holdfast.Invalid)
	}
	return nil
}

func (m *Memory) makeDir(op holdfast.MakeDir) error {
	if err := checkDirName(op.Name); err != nil {
		return err
	}
	if op.Root.IsZero() || (op.Bucket != nil) != (op.Root == op.Dir) {
		return fail(holdfast.Invalid)
	}
	if d := m.dirs[op.Dir]; d != nil {
		if d.sealed {
			return fail(holdfast.DirGone)
		}
		return nil
	}
	d := newDir(op.Dir)
	d.root, d.parent, d.name = op.Root, op.Parent, op.Name
	m.dirs[op.Dir] = d
	if op.Bucket != nil {
		info := copyBucket(op.Bucket)
		info.Root = op.Dir
		info.Epoch = max(info.Epoch, 1)
		if info.Created.IsZero() {
			info.Created = m.now().UTC().Round(0)
		}
		d.bucket = &info
		m.change(holdfast.ChangeBucket, d, "", nil)
	}
	m.addIntent(d, holdfast.IntentLinkDir)
	return nil
}

func copyBucket(b *holdfast.BucketInfo) holdfast.BucketInfo {
	c := *b
	c.Settings = maps.Clone(b.Settings)
	for name, v := range c.Settings {
		c.Settings[name] = append([]byte{}, v...)
	}
	return c
}

func (m *Memory) addIntent(d *dir, kind holdfast.IntentKind) {
	delete(m.intents, d.intent)
	d.intent = holdfast.IntentID{Slot: d.id.Slot(), Seq: m.tick()}
	m.intents[d.intent] = holdfast.Intent{
		ID: d.intent, Kind: kind, Dir: d.id, Parent: d.parent, Name: d.name, At: m.now().UTC().Round(0),
	}
}

func (m *Memory) dropIntent(op holdfast.DropIntent) error {
	if !m.slots[op.ID.Slot] {
		return fail(holdfast.NotOwner)
	}
	delete(m.intents, op.ID)
	return nil
}

func (m *Memory) linkDir(op holdfast.LinkDir) (holdfast.Reply, error) {
	if err := checkDirName(op.Name); err != nil {
		return holdfast.Reply{}, err
	}
	if op.Child.IsZero() {
		return holdfast.Reply{}, fail(holdfast.Invalid)
	}
	parent, err := m.open(op.Parent)
	if err != nil {
		return holdfast.Reply{}, err
	}
	have, ok := parent.subs[op.Name]
	if ok && have != op.Child {
		if op.Exclusive {
			return holdfast.Reply{}, fail(holdfast.Exists)
		}
		return holdfast.Reply{Dir: have}, nil
	}
	var child *dir
	if m.slots[op.Child.Slot()] {
		if child, err = m.open(op.Child); err != nil {
			return holdfast.Reply{}, err
		}
	}
	if !ok {
		parent.subs[op.Name] = op.Child
		m.change(holdfast.ChangeLink, parent, op.Name, nil)
	}
	if child != nil {
		delete(m.intents, child.intent)
		child.parent, child.name = op.Parent, op.Name
	}
	return holdfast.Reply{Dir: op.Child}, nil
}

func (m *Memory) unlinkDir(op holdfast.UnlinkDir) error {
	if err := checkDirName(op.Name); err != nil {
		return err
	}
	parent, err := m.open(op.Parent)
	if err != nil {
		return err
	}
	if have, ok := parent.subs[op.Name]; !ok || have != op.Child {
		return nil
	}
	delete(parent.subs, op.Name)
	m.change(holdfast.ChangeUnlink, parent, op.Name, nil)
	return nil
}

func (m *Memory) sealDir(op holdfast.SealDir) error {
	if op.Dir == holdfast.VolumeRoot {
		return fail(holdfast.Invalid)
	}
	d := m.dirs[op.Dir]
	switch {
	case d == nil:
		return fail(holdfast.DirGone)
	case d.sealed:
		return nil
	case len(d.names)+len(d.subs) > 0 || len(d.uploads) > 0 && !op.Doom:
		return fail(holdfast.NotEmpty)
	}
	for k := range d.uploads {
		m.dropUpload(d, k, nil)
	}
	d.sealed = true
	m.addIntent(d, holdfast.IntentUnlinkDir)
	return nil
}

func (m *Memory) dropDir(op holdfast.DropDir) error {
	d := m.dirs[op.Dir]
	if d == nil {
		return nil
	}
	if !d.sealed {
		return fail(holdfast.Invalid)
	}
	delete(m.intents, d.intent)
	delete(m.dirs, op.Dir)
	if d.bucket != nil {
		delete(m.shares, op.Dir)
	}
	return nil
}

func (m *Memory) setBucket(op holdfast.SetBucket) (holdfast.Reply, error) {
	d, err := m.open(op.Root)
	if err != nil {
		return holdfast.Reply{}, err
	}
	if d.bucket == nil {
		return holdfast.Reply{}, fail(holdfast.NotFound)
	}
	if op.Epoch != 0 && op.Epoch != d.bucket.Epoch {
		return holdfast.Reply{}, fail(holdfast.Conflict)
	}
	info := copyBucket(d.bucket)
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
	d.bucket = &info
	m.change(holdfast.ChangeBucket, d, "", nil)
	return holdfast.Reply{Epoch: info.Epoch}, nil
}
