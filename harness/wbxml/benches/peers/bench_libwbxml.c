/* Megabytes of WBXML that libwbxml handles per second of CPU time: bench_libwbxml decode|encode SECONDS FILE...
 * decode: WBXML to compact XML text. encode: that XML text back to WBXML. Prints one number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wbxml/wbxml.h>
#include <wbxml/wbxml_conv.h>

typedef struct { WB_UTINY *bytes; WB_ULONG length; } buffer;

static double cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static buffer load(const char *path) {
    buffer file = {0};
    FILE *in = fopen(path, "rb");
    if (!in) { perror(path); exit(1); }
    fseek(in, 0, SEEK_END);
    file.length = ftell(in);
    rewind(in);
    file.bytes = malloc(file.length);
    if (fread(file.bytes, 1, file.length, in) != file.length) { perror(path); exit(1); }
    fclose(in);
    return file;
}

int main(int argc, char **argv) {
    if (argc < 4) { fprintf(stderr, "usage: bench_libwbxml decode|encode SECONDS FILE...\n"); return 2; }
    int encode = !strcmp(argv[1], "encode"), count = argc - 3;
    double seconds = atof(argv[2]);
    buffer *wbxml = calloc(count, sizeof *wbxml), *xml = calloc(count, sizeof *xml);

    WBXMLConvWBXML2XML *decoder;
    wbxml_conv_wbxml2xml_create(&decoder);
    wbxml_conv_wbxml2xml_set_language(decoder, WBXML_LANG_ACTIVESYNC);
    wbxml_conv_wbxml2xml_set_gen_type(decoder, WBXML_GEN_XML_COMPACT);
    wbxml_conv_wbxml2xml_enable_preserve_whitespaces(decoder);
    WBXMLConvXML2WBXML *encoder;
    wbxml_conv_xml2wbxml_create(&encoder);
    wbxml_conv_xml2wbxml_disable_string_table(encoder);
    wbxml_conv_xml2wbxml_disable_public_id(encoder);
    wbxml_conv_xml2wbxml_enable_preserve_whitespaces(encoder);

    for (int i = 0; i < count; i++) {
        wbxml[i] = load(argv[i + 3]);
        WBXMLError error = wbxml_conv_wbxml2xml_run(decoder, wbxml[i].bytes, wbxml[i].length, &xml[i].bytes, &xml[i].length);
        if (error) { fprintf(stderr, "%s: %s\n", argv[i + 3], wbxml_errors_string(error)); return 1; }
    }

    double start = cpu(), handled = 0;
    do {
        for (int i = 0; i < count; i++) {
            buffer out = {0};
            if (encode) {
                wbxml_conv_xml2wbxml_run(encoder, xml[i].bytes, xml[i].length, &out.bytes, &out.length);
                handled += out.length;
            } else {
                wbxml_conv_wbxml2xml_run(decoder, wbxml[i].bytes, wbxml[i].length, &out.bytes, &out.length);
                handled += wbxml[i].length;
            }
            free(out.bytes);
        }
    } while (cpu() - start < seconds);
    printf("%.1f\n", handled / (cpu() - start) / 1e6);
    return 0;
}
