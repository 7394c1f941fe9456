package fsck

import (
	"context"

	"holdfast"
)

const (
	// maxBatch is how many directories are listed in one call.
	maxBatch = 16
	// maxPath is how long a path may get before the directories are taken to be linked in a circle.
	maxPath = 64 << 10
)

// walk goes through all names of the volume, in no particular order but that a bucket's uploads come before its names.
type walk struct {
	c     *checker
	count *Report
	// see is called for each version and for each part of an upload, with the links it holds.
	see func(ctx context.Context, h *holder, content *holdfast.Content) error
	// entry is called for each version before see, broken for what cannot be read. Both may be nil.
	entry  func(h *holder, e *holdfast.Entry)
	broken func(name string, err error)
}

// directory is a directory of the walk; path is where it was found, the bucket first.
type directory struct {
	id   holdfast.DirID
	root holdfast.DirID // of its bucket; zero for the volume's root
	path string
}

// frame is a directory and where its next page begins.
type frame struct {
	dir     directory
	from    string
	version holdfast.VersionID
	begun   bool
}

func (w *walk) run(ctx context.Context) error {
	slots := w.c.services.SlotMap()
	stack := []frame{{dir: directory{id: holdfast.VolumeRoot}}}
	for len(stack) > 0 {
		top, owner := len(stack)-1, slots.Owner(stack[len(stack)-1].dir.id)
		for top > 0 && len(stack)-top < maxBatch && slots.Owner(stack[top-1].dir.id) == owner {
			top--
		}
		batch := append([]frame(nil), stack[top:]...)
		pages, err := w.list(ctx, owner, batch)
		if err != nil {
			return err
		}
		stack = stack[:top]
		for i := range batch {
			if stack, err = w.page(ctx, stack, batch[i], &pages[i]); err != nil {
				return err
			}
		}
		w.c.step()
	}
	return nil
}

// list reads the next pages of directories of one name server.
func (w *walk) list(ctx context.Context, owner holdfast.ServiceID, batch []frame) ([]holdfast.Page, error) {
	requests := make([]holdfast.ListRequest, len(batch))
	for i, f := range batch {
		if !f.begun {
			w.count.Directories++
			if f.dir.id == f.dir.root {
				w.count.Buckets++
				if err := w.uploads(ctx, f.dir); err != nil {
					return nil, err
				}
			}
		}
		requests[i] = holdfast.ListRequest{
			Dir: f.dir.id, What: holdfast.ListVersions, WithContent: true, Limit: page,
			From: f.from, After: f.begun, FromVersion: f.version,
		}
	}
	return onNames(ctx, w.c, owner, func(s holdfast.NameService) ([]holdfast.Page, error) {
		pages, err := s.List(ctx, requests)
		for i := range pages {
			if err == nil && transient(pages[i].Err) {
				err = pages[i].Err
			}
		}
		return pages, err
	})
}

// page shows what is in a page and puts what is still to be read on the stack: the rest of the directory, and above it the
// directories found.
func (w *walk) page(ctx context.Context, stack []frame, f frame, p *holdfast.Page) ([]frame, error) {
	if p.Err != nil {
		if !gone(p.Err) { // gone: it vanished since its parent was read, or its unlinking is still to come
			w.fault(f.dir.path, p.Err)
		}
		return stack, nil
	}
	if p.More && len(p.Items) > 0 {
		last := &p.Items[len(p.Items)-1]
		next := frame{dir: f.dir, from: last.Name, begun: true}
		if last.Dir.IsZero() {
			next.version = last.Entry.Version
		}
		stack = append(stack, next)
	}
	for i := range p.Items {
		item := &p.Items[i]
		if !item.Dir.IsZero() {
			stack = w.descend(stack, f.dir, item)
			continue
		}
		w.count.Versions++
		h := &holder{dir: f.dir, name: item.Name, version: item.Entry.Version}
		if w.entry != nil {
			w.entry(h, item.Entry)
		}
		if err := w.see(ctx, h, &item.Entry.Content); err != nil {
			return stack, err
		}
	}
	return stack, nil
}

func (w *walk) descend(stack []frame, dir directory, item *holdfast.Item) []frame {
	below := directory{id: item.Dir, root: dir.root, path: dir.path + item.Name}
	if dir.id == holdfast.VolumeRoot {
		below.root = item.Dir
	}
	if len(below.path) > maxPath {
		w.fault(below.path[:maxPath], errCircle)
		return stack
	}
	return append(stack, frame{dir: below})
}

func (w *walk) fault(name string, err error) {
	if w.broken != nil {
		w.broken(name, err)
	}
}

// uploads shows the parts of a bucket's unfinished uploads.
func (w *walk) uploads(ctx context.Context, bucket directory) error {
	req := holdfast.ListRequest{Dir: bucket.id, What: holdfast.ListUploads, Limit: page}
	for {
		p, err := onNames(ctx, w.c, w.c.services.SlotMap().Owner(bucket.id), func(s holdfast.NameService) (*holdfast.Page, error) {
			pages, err := s.List(ctx, []holdfast.ListRequest{req})
			if err != nil {
				return nil, err
			}
			if transient(pages[0].Err) {
				return nil, pages[0].Err
			}
			return &pages[0], nil
		})
		if err != nil {
			return err
		}
		if p.Err != nil {
			if !gone(p.Err) { // gone: the bucket was deleted meanwhile
				w.fault(bucket.path, p.Err)
			}
			return nil
		}
		for i := range p.Items {
			item := &p.Items[i]
			if item.Upload == nil {
				continue
			}
			req.From, req.After, req.FromUpload = item.Name, true, item.Upload.ID
			if err := w.upload(ctx, bucket, item); err != nil {
				return err
			}
		}
		if !p.More || len(p.Items) == 0 {
			return nil
		}
	}
}

// upload shows one upload's parts. One that is in the index only was finished or never begun.
func (w *walk) upload(ctx context.Context, bucket directory, item *holdfast.Item) error {
	q := holdfast.Lookup{Dir: bucket.id, Want: holdfast.WantParts, Upload: item.Upload.ID, Limit: page}
	q.Path, q.Name = split(item.Name)
	for {
		a, err := w.c.lookup(ctx, &q)
		if err != nil {
			return err
		}
		if a.Err != nil {
			if !gone(a.Err) {
				w.fault(bucket.path+item.Name, a.Err)
			}
			return nil
		}
		if q.After == 0 {
			w.count.Uploads++
		}
		for i := range a.Parts {
			p := &a.Parts[i].Part
			q.After = p.Number
			h := &holder{dir: bucket, name: item.Name, upload: item.Upload.ID, number: p.Number}
			if err := w.see(ctx, h, &holdfast.Content{Link: p.Link}); err != nil {
				return err
			}
		}
		if !a.More || len(a.Parts) == 0 {
			return nil
		}
	}
}
