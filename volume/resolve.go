package volume

import (
	"context"

	"holdfast"
	"holdfast/volume/path"
)

// question is a lookup by key on its way down the tree of directories.
type question struct {
	names []string         // the directories of the key
	dirs  []holdfast.DirID // those found so far: dirs[i] is names[i] in dirs[i-1], dirs[0] in the bucket's root
	ask   holdfast.Lookup  // what is wanted in the last directory; Dir and Path are set on the way

	walked bool // the path was walked from the root in this call: nothing of it comes from the cache
	done   bool
	answer holdfast.Answer
}

// newQuestion prepares a lookup in the directory of key.
func newQuestion(key string, ask holdfast.Lookup) question {
	q := question{ask: ask}
	q.names, q.ask.Name = path.Split(key)
	return q
}

// located reports whether all directories of the key were found.
func (q *question) located() bool { return len(q.dirs) == len(q.names) }

// last returns the deepest directory found, root if there is none.
func (q *question) last(root holdfast.DirID) holdfast.DirID {
	if len(q.dirs) == 0 {
		return root
	}
	return q.dirs[len(q.dirs)-1]
}

// resolve finds the directories of the questions' keys, as far as they exist, without asking anything in them. When a
// question's err is NotFound, its dirs are all that exist of its path; when it is DirGone, one of them was sealed.
func (b *Bucket) resolve(ctx context.Context, qs []question) {
	for i := range qs {
		q := &qs[i]
		q.ask.Want = holdfast.WantDir
		b.recall(q)
		q.done = q.located()
	}
	b.walk(ctx, qs, true)
}

// ask resolves the questions' keys and asks what is wanted in their directories. Directories that are missing or
// sealed make the answer NotFound: nothing is in them.
func (b *Bucket) ask(ctx context.Context, qs []question) {
	for i := range qs {
		b.recall(&qs[i])
	}
	b.walk(ctx, qs, false)
	for i := range qs {
		a := &qs[i].answer
		if holdfast.Is(a.Err, holdfast.DirGone) {
			a.Err = &holdfast.Error{Op: "volume.resolve", Kind: holdfast.NotFound, ID: b.info.Name}
		}
	}
}

// recall goes down a question's path as far as the cache knows it.
func (b *Bucket) recall(q *question) {
	parent := b.info.Root
	for _, name := range q.names {
		id, ok := b.vol.paths.Get(path.Edge{Epoch: b.info.Epoch, Parent: parent, Name: name})
		if !ok {
			b.vol.metrics.pathMiss.Inc()
			return
		}
		q.dirs = append(q.dirs, id)
		parent = id
	}
	b.vol.metrics.pathHits.Add(float64(len(q.names)))
}

// forget drops what the cache holds of a question's path and starts the question over at the root.
func (b *Bucket) forget(q *question) {
	parent := b.info.Root
	for i, id := range q.dirs {
		b.vol.paths.Drop(path.Edge{Epoch: b.info.Epoch, Parent: parent, Name: q.names[i]})
		parent = id
	}
	q.dirs = q.dirs[:0]
}

// walk carries the questions down the tree until each is answered, or only located if that is all that is wanted. Each
// round asks every server at most once per batch; a path takes as many rounds as it changes servers.
func (b *Bucket) walk(ctx context.Context, qs []question, locate bool) {
	var one [1]holdfast.Lookup // the common case allocates nothing
	for {
		batch, part := one[:0], make([]int, 0, 1)
		for i := range qs {
			q := &qs[i]
			if q.done {
				continue
			}
			q.ask.Dir, q.ask.Path = q.last(b.info.Root), q.names[len(q.dirs):]
			batch, part = append(batch, q.ask), append(part, i)
		}
		if len(batch) == 0 {
			return
		}
		answers := b.vol.router.lookup(ctx, batch)
		for j, i := range part {
			b.advance(&qs[i], &answers[j], locate)
		}
	}
}

// advance takes one answer to a question: it remembers the directories found and decides whether the walk goes on.
func (b *Bucket) advance(q *question, a *holdfast.Answer, locate bool) {
	parent := q.last(b.info.Root)
	for _, id := range a.Dirs[:min(len(a.Dirs), len(q.names)-len(q.dirs))] {
		b.vol.paths.Put(path.Edge{Epoch: b.info.Epoch, Parent: parent, Name: q.names[len(q.dirs)]}, id)
		q.dirs = append(q.dirs, id)
		parent = id
	}
	switch {
	case a.Err == nil:
	case len(a.Dirs) > 0 && holdfast.Is(a.Err, holdfast.NotOwner):
		q.done = locate && q.located()
		return
	case !q.walked && holdfast.Is(a.Err, holdfast.DirGone):
		// The cache, or a link that was just being removed, led to a directory that is no more. Only a walk from the root tells
		// what is there now. If that ends the same way, the link it followed was there during this call and
		// led to a sealed directory, which is empty.
		b.forget(q)
		q.walked = true
		return
	}
	q.answer, q.done = *a, true
}
