package gwtest

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"holdfast/gw/sigv4"
)

// cleaner empties buckets after a test, when the test's own context has ended.
type cleaner struct {
	t testing.TB
	c *client
}

// send makes a signed request, decodes the answer's document into doc unless it is nil, and returns the status; 0 if there
// was no answer.
func (cl cleaner) send(method, target string, data []byte, doc any) int {
	cl.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, cl.c.endpoint+target, bytes.NewReader(data))
	if err != nil {
		cl.t.Fatal(err)
	}
	if data != nil {
		sum := md5.Sum(data)
		r.Header.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
		r.Header.Set("X-Amz-Bypass-Governance-Retention", "true")
	}
	cl.c.signer.Sign(r, time.Now(), sigv4.UnsignedPayload)
	res, err := cl.c.http.Do(r)
	if err != nil {
		cl.t.Errorf("clean up: %v", err)
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err == nil && doc != nil && res.StatusCode == http.StatusOK {
		err = xml.Unmarshal(answer, doc)
	}
	if err != nil {
		cl.t.Errorf("clean up: %v", err)
	}
	return res.StatusCode
}

// maxRounds bounds how many pages are removed.
const maxRounds = 100

// deleteVersions removes all versions and delete markers of a bucket, also those that governance mode keeps, and waits for the end of
// compliance.
func (cl cleaner) deleteVersions(bucket string) {
	patience := time.NewTicker(100 * time.Millisecond)
	defer patience.Stop()
	left := 0
	for range maxRounds {
		var page versionsResult
		if cl.send("GET", "/"+bucket+"?versions&encoding-type=url", nil, &page) != http.StatusOK || len(page.Rows) == 0 {
			return
		}
		if len(page.Rows) == left { // compliance mode keeps them; the tests let it end soon
			<-patience.C
		}
		left = len(page.Rows)
		var doc bytes.Buffer
		doc.WriteString("<Delete><Quiet>true</Quiet>")
		plain := 0
		for _, v := range page.Rows {
			key, err := url.QueryUnescape(v.Key)
			if err != nil {
				cl.t.Error(err)
			}
			if !xmlSafe(key) {
				cl.send("DELETE", "/"+bucket+"/"+escape(key)+"?versionId="+v.VersionId, nil, nil)
				continue
			}
			plain++
			doc.WriteString("<Object><Key>")
			_ = xml.EscapeText(&doc, []byte(key)) // a bytes.Buffer takes everything
			doc.WriteString("</Key><VersionId>" + v.VersionId + "</VersionId></Object>")
		}
		doc.WriteString("</Delete>")
		if plain > 0 {
			cl.send("POST", "/"+bucket+"?delete", doc.Bytes(), nil)
		}
	}
	cl.t.Errorf("the bucket %s could not be emptied", bucket)
}

// xmlSafe reports whether a key can be written in XML 1.0.
func xmlSafe(key string) bool {
	for _, r := range key {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

func (cl cleaner) abortUploads(bucket string) {
	for range maxRounds {
		var page uploadsResult
		if cl.send("GET", "/"+bucket+"?uploads&encoding-type=url", nil, &page) != http.StatusOK || len(page.Upload) == 0 {
			return
		}
		for _, u := range page.Upload {
			key, err := url.QueryUnescape(u.Key)
			if err != nil {
				cl.t.Error(err)
			}
			cl.send("DELETE", "/"+bucket+"/"+escape(key)+"?uploadId="+u.UploadID, nil, nil)
		}
	}
}
