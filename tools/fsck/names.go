package fsck

import (
	"context"
	"strings"

	"holdfast"
)

// names walks the tree from the volume's root and gathers the links.
func (c *checker) names(ctx context.Context) error {
	todo := []directory{{id: holdfast.VolumeRoot}}
	for len(todo) > 0 {
		dir := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		below, err := c.directory(ctx, dir)
		if err != nil {
			return err
		}
		todo = append(todo, below...)
		c.progress()
	}
	return nil
}

// directory is a directory of the walk; path is where it was found, the bucket first.
type directory struct {
	id   holdfast.DirID
	root holdfast.DirID // of its bucket; zero for the volume's root
	path string
}

// directory gathers the links of one directory and returns those below it.
func (c *checker) directory(ctx context.Context, dir directory) ([]directory, error) {
	c.report.Directories++
	server, err := c.services.NameServer(ctx, c.services.SlotMap().Owner(dir.id))
	if err != nil {
		return nil, err
	}
	var below []directory
	req := holdfast.ListRequest{Dir: dir.id, What: holdfast.ListVersions, WithContent: true, Limit: page}
	for {
		pages, err := server.List(ctx, []holdfast.ListRequest{req})
		if err != nil {
			return nil, err
		}
		if err := pages[0].Err; err != nil {
			if !holdfast.Is(err, holdfast.DirGone) { // it vanished since its parent was read, or its unlinking is still to come
				c.problem(Problem{Kind: BrokenName, Name: dir.path, Detail: err.Error()})
			}
			return below, nil
		}
		for i := range pages[0].Items {
			item := &pages[0].Items[i]
			req.From, req.After = item.Name, true
			if !item.Dir.IsZero() {
				req.FromVersion = holdfast.VersionID{}
				below = append(below, dir.child(item))
				continue
			}
			req.FromVersion = item.Entry.Version
			c.report.Versions++
			c.content(dir.path+item.Name, item.Entry)
		}
		if !pages[0].More {
			break
		}
	}
	if dir.id == dir.root {
		c.report.Buckets++
		return below, c.uploads(ctx, dir, server)
	}
	return below, nil
}

func (d directory) child(item *holdfast.Item) directory {
	root := d.root
	if d.id == holdfast.VolumeRoot {
		root = item.Dir
	}
	return directory{id: item.Dir, root: root, path: d.path + item.Name}
}

// content gathers the links of an entry and checks that they make up its size.
func (c *checker) content(name string, e *holdfast.Entry) {
	var size int64
	if !e.Content.Link.IsZero() {
		size = e.Content.Link.Size
	}
	for i := range e.Content.Parts {
		size += e.Content.Parts[i].Size
	}
	if size != e.Size && !e.Marker {
		c.problem(Problem{Kind: BrokenName, Name: name, Detail: "the content does not add up to the entry's size"})
	}
	for l := range e.Content.Links {
		c.link(l)
	}
}

func (c *checker) link(l holdfast.Link) {
	c.report.Links++
	c.links[l.OS] = append(c.links[l.OS], l.Object)
}

// uploads gathers the links of a bucket's unfinished uploads.
func (c *checker) uploads(ctx context.Context, bucket directory, server holdfast.NameService) error {
	req := holdfast.ListRequest{Dir: bucket.id, What: holdfast.ListUploads, Limit: page}
	for {
		pages, err := server.List(ctx, []holdfast.ListRequest{req})
		if err != nil || pages[0].Err != nil {
			return err // DirGone: the bucket was deleted meanwhile
		}
		for i := range pages[0].Items {
			item := &pages[0].Items[i]
			if item.Upload == nil {
				continue
			}
			req.From, req.After, req.FromUpload = item.Name, true, item.Upload.ID
			if err := c.upload(ctx, bucket, item); err != nil {
				return err
			}
		}
		if !pages[0].More {
			return nil
		}
	}
}

// upload gathers the links of one upload's parts. One that is in the index only was finished or never begun.
func (c *checker) upload(ctx context.Context, bucket directory, item *holdfast.Item) error {
	question := holdfast.Lookup{Dir: bucket.id, Want: holdfast.WantParts, Upload: item.Upload.ID}
	question.Path, question.Name = split(item.Name)
	for {
		server, err := c.services.NameServer(ctx, c.services.SlotMap().Owner(question.Dir))
		if err != nil {
			return err
		}
		answers, err := server.Lookup(ctx, []holdfast.Lookup{question})
		if err != nil {
			return err
		}
		a := &answers[0]
		if holdfast.Is(a.Err, holdfast.NotOwner) && len(a.Dirs) > 0 { // the walk goes on at another server
			question.Dir, question.Path = a.Dirs[len(a.Dirs)-1], question.Path[len(a.Dirs):]
			continue
		}
		if a.Err != nil {
			return nil
		}
		if question.After == 0 {
			c.report.Uploads++
		}
		for i := range a.Parts {
			question.After = a.Parts[i].Part.Number
			if l := a.Parts[i].Part.Link; !l.IsZero() {
				c.link(l)
			}
		}
		if !a.More {
			return nil
		}
	}
}

// split cuts a key into the directories it is in and its name there.
func split(key string) (path []string, name string) {
	for {
		i := strings.IndexByte(key, '/')
		if i < 0 {
			return path, key
		}
		path = append(path, key[:i+1])
		key = key[i+1:]
	}
}
