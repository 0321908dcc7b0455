//! The words that are protocol, whoever uses them.

use std::{collections::HashSet, sync::LazyLock};

/// Whether this word (lower case) belongs to the protocols around ActiveSync: HTTP, MIME, Autodiscover, message classes.
pub(super) fn is_protocol(word: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> =
        LazyLock::new(|| WORDS.iter().flat_map(|line| line.split_ascii_whitespace()).collect());
    KNOWN.contains(word)
}

/// Whether this word (lower case) opens a link.
pub(super) fn is_scheme(word: &str) -> bool {
    ["http", "https", "mailto", "www", "tel", "cid"].contains(&word)
}

/// Whether this word (lower case) names a product or a kind of device and so no person or place.
pub(super) fn is_product(word: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| PRODUCTS.split_ascii_whitespace().collect());
    KNOWN.contains(word)
}

/// Companies whose certificates are sold or given to everybody: to name one says nothing about its customer.
pub(super) fn public_issuers() -> impl Iterator<Item = &'static str> {
    ISSUERS.split('|').map(str::trim)
}

/// Whether this is the name of an HTML element or attribute, or of a style.
pub(super) fn is_html(word: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| HTML.split_ascii_whitespace().collect());
    KNOWN.contains(word)
}

/// Whether this is a namespace that everybody uses.
pub(super) fn is_namespace(text: &str) -> bool {
    let rest = ["http://schemas.microsoft.com/", "http://www.w3.org/", "https://schemas.microsoft.com/"]
        .iter()
        .find_map(|begin| text.strip_prefix(begin));
    rest.is_some_and(|rest| {
        let words = rest.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.clone().count() <= 12
            && words.map(str::to_ascii_lowercase).all(|word| word.len() <= 4 || is_protocol(&word))
    })
}

const WORDS: [&str; 13] = [
    // Addresses of the service.
    "http https microsoft server activesync default eas autodiscover autodiscoverservice svc xml json v1 v2 sogo push \
     zpush index php ews exchange asmx owa ecp oab mapi emsmdb oauth2 common organizations token authorize html",
    // Autodiscover.
    "mobilesync certenroll autodiscoverv1 schemas requestschema responseschema mobilesyncrequest outlook \
     requestschema2006 responseschema2006 mobilesync2006 outlookresponseschema protocol url",
    // HTTP.
    "ok continue switching protocols created accepted no content moved permanently found see other not modified temporary \
     redirect bad request unauthorized payment required forbidden method allowed acceptable proxy authentication timeout \
     conflict gone length precondition failed entity too large uri long unsupported media type range satisfiable \
     expectation retry with internal error implemented gateway service unavailable version supported insufficient \
     storage need provisioning many requests unprocessable locked login multi status partial reset non authoritative",
    "basic bearer ntlm negotiate digest realm nonce qop auth stale algorithm md5 client_id trusted_issuers \
     authorization_uri error error_description invalid_token invalid_request invalid_grant insufficient_claims charset",
    "gzip deflate br identity compress chunked keep alive close cache store must revalidate max age private public \
     transform immutable options post get head put trailers",
    // MIME.
    "text plain html multipart mixed alternative related signed report message rfc822 application octet stream image \
     jpeg png gif pdf calendar pkcs7 mime signature vnd ms sync wbxml multipart name filename attachment inline boundary \
     utf 7bit 8bit binary base64 quoted printable high normal low urgent",
    // Dates.
    "mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov dec gmt utc",
    // Classes of items and folders.
    "ipm ipf note smime multipartsigned stickynote schedule meeting resp pos neg tent canceled notification cancellation \
     rpmsg report ndr dr ipnrn ipnnrn appointment contact contacts distlist task tasks taskrequest activity post rules \
     ooftemplate microsoft voicemail um fax conversation email notes sms urn classes calendarmessage document content",
    // Stores and query words of the standard.
    "mailbox gal documentlibrary inbox eas wap mserasprovisioningdoc ms provisioningxml wbxml true false null",
    // Languages of Autodiscover.
    "en us gb de fr it es nl pl pt br ja jp zh cn tw ko kr ru se sv da dk nb no fi cs cz hu tr",
    // XML.
    "version encoding standalone yes windows iso 1252 8859 8 16 w3 org 2001 xmlschema instance 2006 2008 2010 xsi xsd",
    // iCalendar.
    "begin end vcalendar vevent vtimezone valarm vtodo daylight vjournal publish reply cancel counter refresh \
     gregorian confirmed tentative cancelled opaque transparent public private confidential display audio date freq \
     daily weekly monthly yearly interval count until byday bymonth bymonthday bysetpos wkst mo tu we th fr sa su",
    "related start busy free oof value",
];

const ISSUERS: &str = "Actalis | AddTrust | Amazon | America Online | AOL | Apple | Asseco | AffirmTrust | Baltimore | Buypass | \
    Camerfirma | Certigna | Certplus | Certum | Chunghwa Telecom | Cloudflare | Comodo | CyberTrust | D-Trust | Deutsche \
    Telekom | Dhimyotis | DigiCert | Digital Signature Trust | DigitalSign | Disig | eMudhra | Entrust | Entrust.net | Equifax | \
    GeoTrust | GlobalSign | GoDaddy | GoDaddy.com | Google Inc | Google Trust Services | GTE Corporation | HARICA | \
    Hellenic Academic and Research Institutions | Hongkong Post | IdenTrust | Internet Security Research Group | Izenpe | \
    Keynectis | Keynectics | Let's Encrypt | Microsec | Microsoft | NetLock | Network Solutions | OISTE | Quovadis | RapidSSL | \
    RSA Security | SECOM Trust | Sectigo | SSL Corporation | SSL.com | Starfield | StartCom | Swisscom | SwissSign | Symantec | \
    T-Systems | TAIWAN-CA | TeliaSonera | Telia | TERENA | GEANT | Thawte | The Go Daddy Group | The USERTRUST Network | \
    TrustAsia | TrustCenter | TC TrustCenter | Trustwave | TWCA | Unizeto | ValiCert | Verisign | WISeKey | WoSign | \
    XRamp | ZeroSSL";

const PRODUCTS: &str = "android apple iphone ipad ipod ios watch mac macos samsung galaxy windows windowsphone windowsmail \
    phone phone7 phone8 wp wp7 wp8 smartphone pocketpc outlook office touchdown blackberry nokia symbian htc lg motorola \
    sony xperia huawei honor xiaomi pixel google gmail nine boxer exchange activesync microsoft server mail email client \
    sogo nginx apache httpd iis httpapi cfnetwork darwin linux kernel mobile tablet http https easrig aquamail evolution \
    thunderbird davmail worxmail secure knox mdm version build release asp aspnet net";

const HTML: &str = "html head body title meta link style script div span p br hr b i u s em strong a img table thead tbody \
    tfoot tr td th ul ol li dl dt dd h1 h2 h3 h4 h5 h6 font center blockquote pre code sup sub small big o:p v:shape \
    doctype public class id href src alt width height border cellpadding cellspacing align valign bgcolor color face size \
    lang dir type name content http-equiv rel target xmlns:o xmlns:v xmlns:w xmlns colspan rowspan charset base form \
    input button label noscript section header footer article nav main figure";
