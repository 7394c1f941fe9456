package gwtest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"holdfast/gw/sigv4"
)

// User is somebody the suite signs as.
type User struct {
	AccessKey string
	SecretKey string
	ID        string // user id
	Email     string // by which grants may name the user; with "" that is not tested
}

// Credentials are whom the suite signs as, and what it must know about the endpoint.
type Credentials struct {
	AccessKey string
	SecretKey string
	Region    string // "" means us-east-1
	Target    string // ARN of a target of event notification; with "" sending events is not tested
	// WebsiteDomain is that of web sites; with "" those are not tested, but for their configuration.
	WebsiteDomain string
	Domain        string // under which the endpoint serves virtual-hosted requests; with "" those are not tested
	System        bool   // the keys are those of a system user, who may use the management API; without it that is not tested
	Usage         bool   // usage is recorded and written within seconds

	LifecycleDay time.Duration // that the server was started with; 0: rules are not waited for

	// Owner and Other are ordinary users, and Service is a service account of Owner that may do no more than s3:GetObject and s3:ListBucket. A
	// system user makes them where they are not given; what needs them is not tested without them. The suite signs as Owner then, except
	// in what is for system users alone, who meet no rules. Free is a service account of Owner without a policy, and Disabled a user who may
	// not sign any more. Root is whose keys were given, if they are those of a system user.
	Owner, Other, Service, Free, Disabled, Root *User
}

// as is who signs for another user of the same endpoint.
func (u *User) as(c Credentials) Credentials {
	c.AccessKey, c.SecretKey, c.System = u.AccessKey, u.SecretKey, false
	return c
}

// addUsers makes the users through the management API. They are removed when the suite ends.
func (c *Credentials) addUsers(t *testing.T, endpoint string) {
	root := &env{T: t, client: newClient(endpoint, *c)}
	t.Cleanup(root.client.close)
	user := func() *User {
		made := root.newUser()
		keys := made.AWSAccessKeys[0]
		return &User{AccessKey: keys.AWSAccessKeyId, SecretKey: keys.AWSSecretAccessKey, ID: made.UserId, Email: made.UserEmail}
	}
	c.Owner, c.Other, c.Disabled = user(), user(), user()
	root.manage("POST", "ostor-users&disable&id="+c.Disabled.ID).mustBe(200)
	const policy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}}`
	service := func(name, policy string) *User {
		var made accountJSON
		root.manage("POST", "ostor-accounts&accountName="+name+"&emailAddress="+c.Owner.Email, text(policy)).json(&made)
		if len(made.AWSAccessKeys) != 1 {
			t.Fatalf("got %+v", made)
		}
		keys := made.AWSAccessKeys[0]
		return &User{AccessKey: keys.AWSAccessKeyId, SecretKey: keys.AWSSecretAccessKey, ID: c.Owner.ID}
	}
	c.Service, c.Free = service(readerName, policy), service(freeName, "")
}

// Names of the service accounts of the owner.
const (
	readerName = "reader"
	freeName   = "free"
)

func (c Credentials) keys() sigv4.Credentials {
	return sigv4.Credentials{AccessKey: c.AccessKey, SecretKey: c.SecretKey}
}

// group is a part of the suite about one subject. It gets a bucket of its own.
type group struct {
	name string
	run  func(*env)
}

// groups is the whole suite.
func groups() []group {
	return []group{
		{"Service", testService},
		{"Buckets", testBuckets},
		{"Listing", testListing},
		{"ListingPages", testListingPages},
		{"ListingUnderWrites", testListingUnderWrites},
		{"Keys", testKeys},
		{"LongKeys", testLongKeys},
		{"Put", testPut},
		{"Metadata", testMetadata},
		{"Get", testGet},
		{"Headers", testHeaders},
		{"Ranges", testRanges},
		{"ReadConditions", testReadConditions},
		{"WriteConditions", testWriteConditions},
		{"Races", testRaces},
		{"Delete", testDelete},
		{"DeleteObjects", testDeleteObjects},
		{"Digests", testDigests},
		{"Chunked", testChunked},
		{"Copy", testCopy},
		{"CopyConditions", testCopyConditions},
		{"Multipart", testMultipart},
		{"MultipartErrors", testMultipartErrors},
		{"MultipartChecksums", testMultipartChecksums},
		{"MultipartCopy", testMultipartCopy},
		{"ListParts", testListParts},
		{"ListUploads", testListUploads},
		{"Attributes", testAttributes},
		{"Archive", testArchive},
		{"Versioning", testVersioning},
		{"Versions", testVersions},
		{"Suspended", testSuspended},
		{"VersionedUploads", testVersionedUploads},
		{"VersionedDeletes", testVersionedDeletes},
		{"ListVersions", testListVersions},
		{"VersionRaces", testVersionRaces},
		{"Tagging", testTagging},
		{"BucketTagging", testBucketTagging},
		{"ObjectLock", testObjectLock},
		{"LockedBuckets", testLockedBuckets},
		{"SigV4", testSigV4},
		{"Presigned", testPresigned},
		{"SigV2", testSigV2},
		{"VirtualHosts", testVirtualHosts},
		{"ManagementUsers", testManagementUsers},
		{"ManagementAccounts", testManagementAccounts},
		{"ManagementBuckets", testManagementBuckets},
		{"ManagementSignatures", testManagementSignatures},
		{"ManagementExplain", testManagementExplain},
		{"ManagementLimits", testLimits},
		{"ManagementBucketQuotas", testBucketQuotas},
		{"ManagementUserQuotas", testUserQuotas},
		{"ManagementUsage", testUsage},
		{"Subresources", testSubresources},
		{"CORS", testCORS},
		{"Encryption", testEncryption},
		{"Lifecycle", testLifecycle},
		{"LifecycleRuns", testLifecycleRuns},
		{"Form", testForm},
		{"Website", testWebsite},
		{"Permissions", testPermissions},
		{"Replication", testReplication},
		{"PolicyKeys", testPolicyKeys},
		{"PolicyCallers", testPolicyCallers},
		{"PolicyActions", testPolicyActions},
		{"PolicyLocks", testPolicyLocks},
		{"PolicyDocument", testPolicyDocument},
		{"ACL", testACL},
		{"Ownership", testOwnership},
		{"PublicAccess", testPublicAccess},
		{"Refused", testRefused},
		{"Malformed", testMalformed},
		{"AWSSDK", testAWSSDK},
		{"MinIOSDK", testMinIOSDK},
	}
}

// Run runs the suite against the endpoint, such as http://127.0.0.1:9000, as subtests of t.
func Run(t *testing.T, endpoint string, creds Credentials) {
	if creds.Region == "" {
		creds.Region = "us-east-1"
	}
	if creds.System {
		creds.Root = &User{AccessKey: creds.AccessKey, SecretKey: creds.SecretKey}
		if creds.Owner == nil {
			creds.addUsers(t, endpoint)
		}
	}
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			creds := creds
			if creds.Owner != nil && !strings.HasPrefix(g.name, "Management") {
				creds = creds.Owner.as(creds)
			}
			e := &env{T: t, client: newClient(endpoint, creds)}
			t.Cleanup(e.client.close)
			e.bucket = e.newBucket()
			g.run(e)
		})
	}
}

// env is what a group works with.
type env struct {
	*testing.T
	*client
	bucket string
}

// sub runs a part of a group as a subtest on the same bucket.
func (e *env) sub(name string, run func(*env)) {
	e.T.Helper()
	e.T.Run(name, func(t *testing.T) { run(&env{T: t, client: e.client, bucket: e.bucket}) })
}

// newBucket makes a bucket that is emptied and removed at the end of the test.
func (e *env) newBucket() string {
	e.T.Helper()
	name := randomName()
	e.req("PUT", "/"+name).mustBe(200)
	e.T.Cleanup(func() { e.remove(name) })
	return name
}

func randomName() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return "gwtest-" + hex.EncodeToString(b[:])
}

// remove empties and removes a bucket; it may be gone. The test's context has ended by then.
func (e *env) remove(name string) {
	c := cleaner{e.T, e.client}
	c.abortUploads(name)
	c.deleteVersions(name)
	if status := c.send("DELETE", "/"+name, nil, nil); status != http.StatusNoContent && status != http.StatusNotFound {
		e.T.Errorf("the bucket %s could not be removed: %d", name, status)
	}
}

// req sends a signed request, unless an option says otherwise.
func (e *env) req(method, target string, opts ...option) *answer {
	e.T.Helper()
	return e.client.do(e.T, method, target, opts...)
}

// at is the path of a key in the group's bucket.
func (e *env) at(key string) string { return "/" + e.bucket + "/" + escape(key) }

// on is the path of the group's bucket with a query.
func (e *env) on(query string) string {
	if query == "" {
		return "/" + e.bucket
	}
	return "/" + e.bucket + "?" + query
}

// put stores an object and returns the answer.
func (e *env) put(key, data string, opts ...option) *answer {
	e.T.Helper()
	return e.req("PUT", e.at(key), append([]option{text(data)}, opts...)...).mustBe(200)
}

// get reads an object.
func (e *env) get(key string, opts ...option) *answer {
	e.T.Helper()
	return e.req("GET", e.at(key), opts...)
}

// absent checks that a key is not there.
func (e *env) absent(key string) {
	e.T.Helper()
	e.req("GET", e.at(key)).fails(404, "NoSuchKey", "Key", key)
}

// pattern is n bytes that differ from place to place.
func pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i*7 + i>>8*13 + i>>16)
	}
	return data
}

// keysf returns n keys made by a format with one number.
func keysf(format string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf(format, i)
	}
	return keys
}
