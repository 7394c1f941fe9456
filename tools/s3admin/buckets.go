package s3admin

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"strconv"
)

// buckets is the resource of buckets.
func buckets(more ...param) params { return append(params{{"ostor-buckets", ""}}, more...) }

// listBuckets is list-all-buckets.
type listBuckets struct {
	user string
	xml  bool
}

func (c *listBuckets) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.user, "i", "", "`id` of a user: only the buckets this user owns")
	fs.BoolVar(&c.xml, "X", false, "print XML")
}

func (c *listBuckets) run(ctx context.Context, s *session) error {
	q := buckets()
	if c.user != "" {
		q = append(q, param{"id", c.user})
	}
	var list bucketList
	answer, err := s.client.fetch(ctx, "GET", q, nil, &list)
	if err != nil || s.passJSON(answer) {
		return err
	}
	if c.xml {
		return s.bucketsXML(list.Buckets)
	}
	s.out.printf("Total %d buckets\n", len(list.Buckets))
	s.out.table(func(add func(...string)) {
		add(bucketColumns()...)
		for i := range list.Buckets {
			row := list.Buckets[i].row()
			if c.user != "" {
				row = append(row, "off", "0") // notary and its provider, which scripts expect here
			}
			add(row...)
		}
	})
	return nil
}

func bucketColumns() []string {
	return []string{"BUCKET", "OWNER", "CREATION_DATE", "VERSIONING", "TOTAL SIZE, BYTES"}
}

func (b *bucket) row() []string {
	return []string{b.Name, b.Owner, b.Created, b.Versioning, strconv.FormatInt(b.Size.Current, 10)}
}

// bucketsXML prints buckets as ListBucketsResult. There is no notary, so it is off everywhere.
func (s *session) bucketsXML(list []bucket) error {
	type one struct {
		Name, Owner, CreationDate, Versioning, Notary string
		TotalSize                                     int64
	}
	doc := struct {
		XMLName xml.Name `xml:"ListBucketsResult"`
		Buckets struct{ Bucket []one }
	}{}
	for _, b := range list {
		doc.Buckets.Bucket = append(doc.Buckets.Bucket, one{b.Name, b.Owner, b.Created, b.Versioning, "off", b.Size.Current})
	}
	return s.printXML(doc)
}

// whichBucket names a bucket.
type whichBucket struct{ name string }

func (w *whichBucket) flags(fs *flag.FlagSet) { fs.StringVar(&w.name, "b", "", "`name` of the bucket") }

func (w *whichBucket) query() (params, error) {
	return buckets(param{"bucket", w.name}), required("b", w.name, "the name of the bucket")
}

// queryBucket is query-bucket-info.
type queryBucket struct{ whichBucket }

func (c *queryBucket) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	var list bucketList
	answer, err := s.client.fetch(ctx, "GET", q, nil, &list)
	if err != nil || s.passJSON(answer) {
		return err
	}
	for i := range list.Buckets {
		b := &list.Buckets[i]
		s.out.table(func(add func(...string)) {
			add(bucketColumns()...)
			add(b.row()...)
		})
		for _, g := range b.ACL {
			s.out.printf("ACL: %s: %s\n", g.Grantee, g.Permission)
		}
	}
	return nil
}

// changeOwner is change-bucket-owner.
type changeOwner struct {
	whichBucket
	owner string
}

func (c *changeOwner) flags(fs *flag.FlagSet) {
	c.whichBucket.flags(fs)
	fs.StringVar(&c.owner, "i", "", "`id` of the new owner")
}

func (c *changeOwner) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	if err := required("i", c.owner, "the id of the new owner"); err != nil {
		return err
	}
	var b bucket
	answer, err := s.client.fetch(ctx, "POST", append(q, param{"newOwner", c.owner}), nil, &b)
	if err != nil || s.passJSON(answer) {
		return err
	}
	s.out.printf("Changed owner of the bucket %s. New owner %s\n", b.Name, b.Owner)
	return nil
}

// deleteBucket is delete-bucket. Each request deletes for some seconds and says how far it came; a run that was stopped is gone
// on with by another.
type deleteBucket struct{ whichBucket }

func (c *deleteBucket) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	type progress struct {
		Deleted bool  `json:"deleted"`
		Objects int64 `json:"objects"`
		Uploads int64 `json:"uploads"`
	}
	var sum progress
	for !sum.Deleted {
		var step progress
		if _, err := s.client.fetch(ctx, "DELETE", q, nil, &step); err != nil {
			return err
		}
		sum = progress{step.Deleted, sum.Objects + step.Objects, sum.Uploads + step.Uploads}
		fmt.Fprintf(s.progress, "%s: deleted %d versions, %d unfinished uploads\n", c.name, sum.Objects, sum.Uploads)
	}
	answer, err := json.Marshal(sum)
	if err == nil && !s.passJSON(answer) {
		s.out.printf("Deleted bucket %s\n", c.name)
	}
	return err
}
